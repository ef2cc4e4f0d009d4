"""Secrets in what is staged, tracked, or in any commit; and that no output shows one."""

import base64
import bz2
import gzip
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dvc_bucket import Project
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.git.pieces import OVERLAP, PIECE
from dvc_bucket.git.secrets import scan
from dvc_bucket.git.secrets.scan import Finding
from tests.bucket.git_tools import (
    TOKENS,
    TOOLS,
    VALUE,
    Repo,
    make_repo,
    new_value,
    own_secret,
)
from tests.projects import copy_files


def test_a_whole_project_is_clean_now_and_in_every_commit(repo: Repo) -> None:
    copy_files(repo.root)
    repo.git("add", "--all")
    repo.commit()
    for outcome in (scan.tracked(repo.project), scan.history(repo.project)):
        assert outcome.findings == []
        assert outcome.files > 10


def test_a_finding_says_where_and_what(repo: Repo) -> None:
    repo.add("config.py", f'a = 1\nb = 2\nos.environ["OS_SECRET_ACCESS_KEY"] = "{VALUE}"\n')
    (finding,) = scan.staged(repo.project).findings
    assert finding == Finding("config.py", 3, "a value for OS_SECRET_ACCESS_KEY")
    assert str(finding) == "config.py, line 3: a value for OS_SECRET_ACCESS_KEY"


@pytest.mark.parametrize("kind", TOKENS)
def test_keys_and_tokens_of_known_kinds_are_found(repo: Repo, kind: str) -> None:
    repo.add("notes.txt", f"one\nuse {TOKENS[kind]} here\n")
    (finding,) = scan.staged(repo.project).findings
    assert (finding.line, kind in finding.what) == (2, True)


def test_a_private_key_is_found_by_what_it_is(repo: Repo) -> None:
    if not shutil.which("ssh-keygen"):
        pytest.skip("no ssh-keygen here")
    repo.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "server.pem")
    repo.git("add", "server.pem", "server.pem.pub")
    assert [str(found) for found in scan.staged(repo.project).findings] == [
        "server.pem, line 1: a key or token (private-key)"
    ]


@pytest.mark.parametrize("path", [".env", ".env.local", "work/.env", ".dvc/config.local", "a.p12"])
def test_a_file_of_credentials_is_refused_by_its_name(repo: Repo, path: str) -> None:
    repo.add(path, "OS_BUCKET_NAME=research-data\n")
    (finding,) = scan.staged(repo.project).findings
    assert (finding.path, finding.line) == (path, None)
    repo.git("rm", "--quiet", "--cached", path)
    repo.add(".env.sample", "OS_BUCKET_NAME=research-data\n")
    assert scan.staged(repo.project).findings == []


def test_credentials_in_dvcs_tracked_configuration_are_refused(repo: Repo) -> None:
    repo.run(TOOLS / "dvc", "remote", "modify", "storage", "secret_access_key", VALUE)
    config = repo.project.dvc_config
    config.write_text(f"{config.read_text()}    access_key_id = {VALUE}\n    password = {VALUE}\n")
    repo.git("add", ".dvc/config")
    assert [(found.path, found.what) for found in scan.staged(repo.project).findings] == [
        (".dvc/config", f"a value for {option}")
        for option in ("secret_access_key", "access_key_id", "password")
    ]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("key.txt", "{}"),
        ("weights.bin", "\0\1\2{}\0"),
        ("a folder/é\nnew line.md", "see {}\n"),
        ("allowed.py", "x = '{}'  # pragma: allowlist secret\n"),
    ],
)
def test_this_clones_own_secret_is_found_in_any_file(repo: Repo, path: str, content: str) -> None:
    repo.add(path, content.format(own_secret(repo)))
    (finding,) = scan.staged(repo.project).findings
    assert finding.what == "the value of OS_SECRET_ACCESS_KEY of this clone"
    assert "\n" not in str(finding)
    repo.commit()
    assert len(scan.tracked(repo.project).findings) == len(scan.history(repo.project).findings) == 1


def test_the_own_secret_is_found_where_windows_wrote_it_and_in_the_environment(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", value := new_value())
    repo.add("key.txt", own_secret(repo).encode("utf-16"))
    repo.add("token.txt", value)
    assert [(found.path, found.line) for found in scan.staged(repo.project).findings] == [
        ("key.txt", 1),
        ("token.txt", 1),
    ]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_other_encodings_are_read(repo: Repo, encoding: str) -> None:
    mark = "" if encoding == "utf-32" else "\ufeff"
    repo.add("own.txt", f"{mark}\nmy {own_secret(repo)}\n".encode(encoding))
    repo.add("other.txt", f"{mark}\nOS_PASSWORD={VALUE}\n".encode(encoding))
    found = scan.staged(repo.project).findings
    assert [finding.path for finding in found] == ["other.txt", "own.txt"]
    assert [finding.line for finding in found] == [2, 2]


@pytest.mark.parametrize("before", ["", "a", "ab", "me:", "OS_SECRET_ACCESS_KEY="])
@pytest.mark.parametrize("after", ["", "\n", "\nOS_ENDPOINT_URL=https://store.institute.edu\n"])
def test_the_own_secret_is_found_in_base64_also_in_lines_of_76(
    repo: Repo, before: str, after: str
) -> None:
    data = f"{before}{own_secret(repo)}{after}".encode()
    repo.add("one.yaml", b"data: " + base64.b64encode(data) + b"\n")
    repo.add("wrapped.txt", base64.encodebytes(b"x" * 30 + data))
    found = scan.staged(repo.project).findings
    assert {finding.path for finding in found} == {"one.yaml", "wrapped.txt"}
    assert (found[0].line, found[0].what.startswith("the value of")) == (1, True)


def zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner/a.env", data)
    return file.getvalue()


def tarred(data: bytes) -> bytes:
    file, member = io.BytesIO(), tarfile.TarInfo("inner/a.env")
    member.size = len(data)
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(member, io.BytesIO(data))
    return file.getvalue()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "a.env.gz": gzip.compress,
    "gzip-without-suffix": gzip.compress,
    "second-member.gz": lambda data: gzip.compress(b"first\n") + gzip.compress(data),
    "a.env.bz2": bz2.compress,
    "a.npz": zipped,
    "a.tar": tarred,
    "a.tar.gz": lambda data: gzip.compress(tarred(data)),
    "tar-without-suffix": lambda data: gzip.compress(tarred(data)),
    "twice.zip": lambda data: zipped(gzip.compress(data)).replace(b"a.env", b"ab.gz"),
}


@pytest.mark.parametrize("path", PACKED)
def test_files_in_archives_are_read(repo: Repo, path: str) -> None:
    repo.add(path, PACKED[path](f"OS_PASSWORD={VALUE}\nmy {own_secret(repo)}\n".encode()))
    found = scan.staged(repo.project).findings
    assert {finding.what for finding in found} == {
        "a value for OS_PASSWORD",
        "the value of OS_SECRET_ACCESS_KEY of this clone",
    }
    members = [finding for finding in found if finding.path.startswith(f"{path}!")]
    assert len(members) == 2
    repo.commit()
    assert scan.tracked(repo.project).findings == found
    assert len(scan.history(repo.project).findings) == len(found)


def test_an_archive_that_cannot_be_unpacked_is_said_and_searched_as_it_is(repo: Repo) -> None:
    repo.add("damaged.gz", b"\x1f\x8b" + own_secret(repo).encode())
    outcome = scan.staged(repo.project)
    assert [finding.path for finding in outcome.findings] == ["damaged.gz"]
    assert outcome.unopened == 1
    assert "1 archive could not be unpacked" in str(outcome)


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


@pytest.mark.parametrize("start", [PIECE - 20, PIECE - OVERLAP, 2 * PIECE + 1])
@pytest.mark.parametrize("filler", [b"\0", b"\n"])
def test_the_own_secret_is_found_anywhere_in_a_large_file(
    repo: Repo, start: int, filler: bytes
) -> None:
    content = filler * start + own_secret(repo).encode() + filler * PIECE
    repo.add("large", content)
    (finding,) = scan.staged(repo.project).findings
    assert finding.line == (None if filler == b"\0" else start + 1)


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
        with pytest.raises(ProjectError, match=r"is in no git repository, so there is nothing"):
            search(project)
