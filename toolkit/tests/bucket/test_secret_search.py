"""Which parts of a repository are searched for secrets: index, work tree, commits, tags, nested."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from dvc_bucket import Project
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.git.secrets import scan
from tests.bucket.git_tools import TOKENS, VALUE, Repo, make_repo, own_secret


def test_messages_of_commits_and_tags_are_read(repo: Repo) -> None:
    repo.git("commit", "-q", "--allow-empty", "-m", f"One\n\nThe key is {own_secret(repo)}.")
    repo.git("tag", "-a", "v1", "-m", f"OS_PASSWORD={VALUE}")
    repo.git("tag", "light")
    by_commit, by_tag = scan.history(repo.project).findings
    assert (by_commit.path, by_commit.line, by_commit.commit) == ("commit message", 3, repo.head)
    assert str(by_tag) == "message of the tag v1, line 1: a value for OS_PASSWORD"
    repo.git("commit", "-q", "--amend", "--allow-empty", "-m", "OS_PASSWORD: needed by the store")
    assert scan.history(repo.project, ["HEAD"]).findings == []


def test_submodules_are_searched_with_this_clones_credentials(repo: Repo, tmp_path: Path) -> None:
    inner = make_repo(tmp_path / "inner")
    inner.add("key.txt", own_secret(repo))
    inner.commit()
    repo.git("-c", "protocol.file.allow=always", "submodule", "-q", "add", str(inner.root), "sub")
    repo.commit()
    for outcome in (scan.tracked(repo.project), scan.history(repo.project)):
        assert [finding.path for finding in outcome.findings] == ["sub/key.txt"]
    shutil.rmtree(repo.root / "sub")
    assert scan.tracked(repo.project).findings == []


def test_the_index_counts_not_the_work_tree(repo: Repo) -> None:
    repo.add("a.env", f"OS_SECRET_ACCESS_KEY={VALUE}\n")
    repo.write("a.env", "nothing\n")
    assert len(scan.staged(repo.project).findings) == 1
    assert scan.tracked(repo.project).findings == []
    repo.git("add", "a.env")
    repo.write("a.env", f"OS_SECRET_ACCESS_KEY={VALUE}\n")
    assert scan.staged(repo.project).findings == []
    assert len(scan.tracked(repo.project).findings) == 1


def test_what_is_committed_already_is_not_staged_and_a_removal_is_no_finding(repo: Repo) -> None:
    repo.add("a.env", f"OS_SECRET_ACCESS_KEY={VALUE}\n")
    repo.commit()
    assert scan.staged(repo.project).findings == []
    repo.git("rm", "--quiet", "a.env")
    assert scan.staged(repo.project).findings == []


def test_history_has_what_was_taken_out_renamed_or_left_on_a_branch(repo: Repo) -> None:
    repo.git("checkout", "-q", "-b", "side")
    repo.add("old name.env", f"OS_SECRET_ACCESS_KEY={VALUE}\n")
    repo.commit()
    first = repo.head
    repo.git("mv", "old name.env", "new.env")
    repo.commit()
    repo.git("rm", "--quiet", "new.env")
    repo.add(".env", "OS_BUCKET_NAME=research-data\n")
    repo.commit()
    last = repo.head
    repo.git("checkout", "-q", "-")
    assert scan.tracked(repo.project).findings == []
    assert scan.history(repo.project, ["HEAD"]).findings == []
    by_value, by_name = scan.history(repo.project).findings
    assert (by_value.path, by_value.line, by_value.commit) == ("old name.env", 1, first)
    assert (by_name.path, by_name.line, by_name.commit) == (".env", None, last)
    assert str(by_value).endswith(f"in commit {first[:7]}")


def test_history_has_what_only_a_merge_brought(repo: Repo) -> None:
    repo.git("checkout", "-q", "-b", "side")
    repo.add("side.txt", "1")
    repo.commit()
    repo.git("checkout", "-q", "-")
    repo.add("main.txt", "1")
    repo.commit()
    repo.git("merge", "--no-commit", "side")
    repo.add("evil.env", f"OS_SECRET_ACCESS_KEY={VALUE}\n")
    repo.commit()
    assert [found.commit for found in scan.history(repo.project).findings] == [repo.head]


def test_a_thousand_commits(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "clone")
    lines = []
    for number in range(1000):
        lines.append("commit refs/heads/long\ncommitter T <t@example.org> 0 +0000\ndata 0\n")
        text = f"value = {number}\n" * 200 + (f"ACCESS_KEY_ID={VALUE}" if number == 700 else "")
        lines.append(f"M 644 inline file{number % 50}.py\ndata {len(text)}\n{text}\n")
    subprocess.run(
        ["git", "fast-import", "--quiet"], cwd=repo.root, input="".join(lines).encode(), check=True
    )
    outcome = scan.history(repo.project)
    assert (outcome.commits, outcome.files) == (1000, 1000)
    assert [(found.path, found.line) for found in outcome.findings] == [("file0.py", 201)]


def test_a_comment_allows_a_line_and_a_tracked_file_a_value_or_a_content(repo: Repo) -> None:
    repo.add(
        "a.env", f"ACCESS_KEY_ID={VALUE}1  # pragma: allowlist secret\nSESSION_TOKEN={VALUE}2\n"
    )
    repo.add("b.json", json.dumps({"OS_SECRET_ACCESS_KEY": f"{VALUE}3"}))
    repo.add("c.txt", TOKENS["github-pat"])
    repo.commit()
    assert [found.path for found in scan.history(repo.project).findings] == [
        "a.env",
        "b.json",
        "c.txt",
    ]
    digests = [
        hashlib.sha256(text.encode()).hexdigest() for text in (f"{VALUE}2", TOKENS["github-pat"])
    ]
    content = repo.git("hash-object", "b.json").stdout.strip()
    allowed = [f"{digest}  a test needs it" for digest in [*digests, content]]
    repo.write(".secrets-allowed", "\n".join(["# What is no secret", "", *allowed]))
    assert scan.history(repo.project).findings == scan.tracked(repo.project).findings == []
    repo.write("b.json", json.dumps({"OS_SECRET_ACCESS_KEY": f"{VALUE}4"}))
    assert [found.path for found in scan.tracked(repo.project).findings] == ["b.json"]


@pytest.mark.parametrize("line", ["abc  too short", f"{'0' * 64}"])
def test_a_malformed_line_of_allowed_secrets_is_named(repo: Repo, line: str) -> None:
    repo.write(".secrets-allowed", f"# comment\n{line}\n")
    with pytest.raises(ProjectError, match=r"\.secrets-allowed, line 2: write the SHA-256"):
        scan.staged(repo.project)


def test_submodules_links_conflicts_and_missing_files_are_no_trouble(repo: Repo) -> None:
    options = ("-c", "protocol.file.allow=always")
    repo.git(*options, "submodule", "--quiet", "add", str(repo.root), "inner")
    (repo.root / "link").symlink_to("nowhere")
    repo.add("gone.txt", "1")
    repo.git("add", "link")
    assert scan.staged(repo.project).findings == []
    repo.commit()
    (repo.root / "gone.txt").unlink()
    (repo.root / "link").unlink()
    (repo.root / "link").mkdir()
    assert scan.tracked(repo.project).findings == scan.history(repo.project).findings == []


def test_before_the_first_commit(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "clone")
    assert scan.history(repo.project).findings == scan.tracked(repo.project).findings == []
    repo.add("key.txt", own_secret(repo))
    assert [found.path for found in scan.staged(repo.project).findings] == ["key.txt"]


def test_a_project_in_a_folder_of_a_repository_has_all_of_it_searched(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "clone", "work/é")
    repo.add("elsewhere/key.txt", own_secret(repo))
    repo.add("work/é/.env.local", "X=1\n")
    expected = ["elsewhere/key.txt", "work/é/.env.local"]
    assert [found.path for found in scan.staged(repo.project).findings] == expected
    assert [found.path for found in scan.tracked(repo.project).findings] == expected
    repo.commit()
    assert [found.path for found in scan.history(repo.project).findings] == expected


def test_outside_of_git_one_sentence_says_so(project: Project) -> None:
    for search in (scan.staged, scan.tracked, scan.history):
        with pytest.raises(ProjectError, match=r"is not in a git repository, so there is nothing"):
            search(project)
