"""What `bucket secrets` prints; and that none of it holds a secret."""

import json
from pathlib import Path

from dvc_bucket import Project
from dvc_bucket.git.secrets import scan
from tests.bucket.git_tools import TOKENS, VALUE, Repo, own_secret


def test_the_secret_itself_is_in_no_output(repo: Repo) -> None:
    secret = own_secret(repo)
    repo.add("a.py", f"aws_secret_access_key='{VALUE}'\n{TOKENS['github-pat']}\n")
    repo.add(f"0 {secret}.txt", f"{secret}\n")
    done = repo.bucket("secrets", "--staged", check=False)
    assert done.returncode == 1
    outcomes = [scan.staged(repo.project), scan.tracked(repo.project)]
    repo.commit()
    outcomes.append(scan.history(repo.project))
    outputs = [text for found in outcomes for text in (str(found), found.as_json(), repr(found))]
    values = (secret, VALUE, TOKENS["github-pat"])
    for text in [done.stdout, done.stderr, *outputs]:
        assert not [value for value in values if value in text]
    assert done.stdout == f"{outcomes[0]}\n"
    assert "0 ***.txt: the value of OS_SECRET_ACCESS_KEY of this clone in its name" in done.stdout
    assert "git restore --staged" in done.stdout
    assert "git filter-repo" in str(outcomes[2])
    findings = json.loads(outcomes[2].as_json())["findings"]
    assert [found["line"] for found in findings] == [None, 1, 2]
    assert {found["commit"] for found in findings} == {repo.head}


def test_a_clean_repository_is_one_line(repo: Repo) -> None:
    repo.add("more.txt", "nothing")
    tracked = len(repo.git("ls-files").stdout.splitlines())
    assert repo.bucket("secrets").stdout == f"No secret in {tracked} tracked files.\n"
    assert str(scan.staged(repo.project)) == "No secret in 1 staged file."
    assert str(scan.history(repo.project)) == "No secret in 1 commit."
    assert repo.bucket("secrets", "--history", "--staged", check=False).returncode == 2


def test_a_shallow_clone_says_that_it_saw_a_part(repo: Repo, tmp_path: Path) -> None:
    repo.add("more.txt", "1")
    repo.commit()
    repo.git("clone", "-q", "--depth=1", repo.root.as_uri(), str(tmp_path / "shallow"))
    outcome = scan.history(Project(tmp_path / "shallow"))
    assert (outcome.commits, outcome.is_partial) == (1, True)
    assert str(outcome).splitlines()[0] == "No secret in 1 commit."
    assert "Only part of the history was searched" in str(outcome)
