"""Secrets in contents of every kind, and that no output shows one."""

import base64
import bz2
import gzip
import io
import shutil
import tarfile
import zipfile
from collections.abc import Callable

import pytest

from dvc_bucket.git.secrets import scan
from dvc_bucket.git.secrets.scan import Finding
from tests.bucket.git_tools import (
    TOKENS,
    TOOLS,
    VALUE,
    Repo,
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


#: Sizes at which a reader that takes a file in blocks could miss something.
PIECE, OVERLAP = 1024 * 1024, 64 * 1024


@pytest.mark.parametrize("start", [PIECE - 20, PIECE - OVERLAP, 2 * PIECE + 1])
@pytest.mark.parametrize("filler", [b"\0", b"\n"])
def test_the_own_secret_is_found_anywhere_in_a_large_file(
    repo: Repo, start: int, filler: bytes
) -> None:
    content = filler * start + own_secret(repo).encode() + filler * PIECE
    repo.add("large", content)
    (finding,) = scan.staged(repo.project).findings
    assert finding.line == (None if filler == b"\0" else start + 1)
