"""`bucket cp` replaces what it put there itself, and its own folder is nobody else's."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dvc_bucket import copy_to
from dvc_bucket.base.errors import ChecksumError, OutputError, UnsafePathError
from dvc_bucket.read import copied_record as staged
from dvc_bucket.read.copying import default_folder
from dvc_bucket.transfer.errors import WrongContentError
from tests.bucket.git_tools import TOOLS
from tests.safety.conftest import Stranger
from tests.safety.hostile import files, publish_files
from tests.stores.fixtures import access
from tests.verify.published import Published, empty, s3


@pytest.fixture(scope="module")
def published(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Published:
    """A file, a file of DVC 2, and a folder, each in two versions: `v1`, and the workspace's."""
    made = empty(tmp_path_factory.mktemp("staging") / "project", access(request, "seaweed"))
    for tag in ("v1", "v2"):
        bodies = content(tag)
        for path in ("table.csv", "old.txt"):
            made.put(made.track(path, bodies[path], legacy=path == "old.txt"), bodies[path])
        folder = [(name, bodies[f"folder/{name}"]) for name in ("a.csv", "b.csv")]
        publish_files(made, folder, "folder")
        (made.root / "notes.txt").write_text(f"{tag}\n")
        made.commit(tag)
        made.git("tag", tag)
    return made


#: What is staged in most tests.
SOURCES = ["table.csv", "folder", "old.txt"]


@pytest.fixture
def project(published: Published, monkeypatch: pytest.MonkeyPatch) -> Published:
    monkeypatch.chdir(published.root)
    return published


def content(tag: str) -> dict[str, bytes]:
    names = ("table.csv", "folder/a.csv", "folder/b.csv")
    return {name: f"{tag} of {name}\n".encode() for name in names} | {
        "old.txt": f"{tag}\r\n".encode()
    }


def without_record(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in files(folder).items() if name != staged.NAME}


def test_a_job_that_copies_each_time_gets_the_data_of_the_day(
    project: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also from another clone: a job's lives no longer than the job."""
    fast = tmp_path / "fast"
    copy_to(SOURCES, fast, rev="v1")
    assert without_record(fast) == content("v1")
    assert (fast / staged.NAME).stat().st_mode & 0o777 == 0o600
    clone = tmp_path / "clone"
    project.git("clone", "-q", str(project.root), str(clone))
    shutil.copy(project.root / ".env", clone / ".env")
    monkeypatch.chdir(clone)
    assert copy_to(SOURCES, fast).copied == 4
    assert without_record(fast) == content("v2")
    assert copy_to(SOURCES, fast).copied == 0
    assert copy_to(SOURCES, fast, rev="v1").copied == 4


def test_a_file_with_other_content_wants_force(project: Published, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "b.csv").write_text("the only copy")
    before = files(tmp_path)
    with pytest.raises(OutputError, match=r"folder/b\.csv differs.*Add --force"):
        copy_to(SOURCES, tmp_path)
    assert files(tmp_path) == before
    done = project.clone.run(TOOLS / "bucket", "cp", *SOURCES, str(tmp_path), check=False)
    assert done.returncode == 1
    assert files(tmp_path) == before
    copy_to(SOURCES, tmp_path, force=True)
    assert without_record(tmp_path) == content("v2")


@pytest.mark.usefixtures("project")
def test_an_edit_of_a_copied_file_is_not_lost(tmp_path: Path) -> None:
    copy_to(SOURCES, tmp_path, rev="v1")
    (tmp_path / "table.csv").write_text("edited after staging")
    for rev in ("v1", "v2"):
        with pytest.raises(OutputError, match="did not write it"):
            copy_to(SOURCES, tmp_path, rev=rev)
    assert (tmp_path / "table.csv").read_text() == "edited after staging"


def test_a_job_that_is_killed_leaves_a_folder_that_the_next_one_can_use(
    project: Published, tmp_path: Path
) -> None:
    copy_to(SOURCES, tmp_path, rev="v1")
    # As after a kill: the record was written, some files were fetched, others were not.
    key = next(key for key in project.keys if project.get(key) == b"v2 of folder/b.csv\n")
    good = project.get(key)
    project.put(key, b"damaged")
    try:
        with pytest.raises((ChecksumError, WrongContentError)):
            copy_to(SOURCES, tmp_path)
    finally:
        project.put(key, good)
    (tmp_path / "table.csv").unlink()
    (tmp_path / "table.csv").write_bytes(content("v2")["table.csv"])
    copy_to(SOURCES, tmp_path, rev="v1")
    assert without_record(tmp_path) == content("v1")


@pytest.mark.parametrize("force", [False, True])
def test_edits_in_the_workspace_are_never_replaced(
    project: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, force: bool
) -> None:
    clone = tmp_path / "clone"
    project.git("clone", "-q", str(project.root), str(clone))
    shutil.copy(project.root / ".env", clone / ".env")
    monkeypatch.chdir(clone)
    assert copy_to(["table.csv"], Path(), force=force).copied == 1  # as a pull would
    (clone / "table.csv").write_text("an edit")
    with pytest.raises(OutputError, match="is never replaced, because DVC tracks it"):
        copy_to(["table.csv"], Path(), force=force)
    assert (clone / "table.csv").read_text() == "an edit"
    (clone / "table.csv").write_bytes(content("v1")["table.csv"])
    with pytest.raises(OutputError, match="DVC tracks it"):
        copy_to(["table.csv"], clone, force=force)
    key = "notes.txt"
    s3(project.store).put_object(Bucket=project.store.bucket, Key=key, Body=b"of the bucket")
    with pytest.raises(OutputError, match="is never replaced, because git tracks it"):
        copy_to([f"s3://{project.store.bucket}/{key}"], Path(), force=force)
    assert (clone / key).read_text() == "v2\n"


def test_a_configuration_file_keeps_the_rule(project: Published, tmp_path: Path) -> None:
    client, bucket = s3(project.store), project.store.bucket
    target, config = tmp_path / "here" / "file", tmp_path / "job.json"
    wanted = {"bucket_name": bucket, "object_key": "one/object", "local_path": str(target)}
    config.write_text(json.dumps(wanted))

    def run(*words: str) -> int:
        command: list[str | Path] = [TOOLS / "bucket", "cp", *words]
        return project.clone.run(*command, check=False, OS_CONFIG_FILE=str(config)).returncode

    for body in (b"one", b"another"):  # the object changes: so does the file
        client.put_object(Bucket=bucket, Key="one/object", Body=body)
        assert run() == 0
        assert target.read_bytes() == body
    target.write_text("the only copy")
    assert run() == 1
    assert target.read_text() == "the only copy"
    assert run("--force") == 0
    assert target.read_bytes() == b"another"


def copy_to_scratch(
    project: Published, *sources: str, folder: Path
) -> subprocess.CompletedProcess[str]:
    command = (str(TOOLS / "bucket"), "cp", "--scratch", *sources)
    return project.clone.run(*command, check=False, TMPDIR=str(folder), SCRATCH="")


def test_the_default_folder_is_for_nobody_else(project: Published, tmp_path: Path) -> None:
    done = project.clone.run(
        TOOLS / "bucket", "cp", "--scratch", *SOURCES, TMPDIR=str(tmp_path), SCRATCH=""
    )
    folder = tmp_path / f"dvc-bucket-{os.geteuid()}" / project.root.name
    assert done.stdout == f"{folder}\n"
    assert without_record(folder) == content("v2")
    for path in (folder.parent, folder):
        assert path.stat().st_mode & 0o777 == 0o700
    for path in folder.rglob("*"):
        assert path.is_dir() or path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("how", ["folder", "open folder", "link", "file"])
def test_a_default_folder_that_another_user_made_is_refused(
    project: Published, open_folder: Path, stranger: Stranger, how: str
) -> None:
    open_folder.chmod(0o1777)
    own = open_folder / f"dvc-bucket-{os.geteuid()}"
    mine = open_folder / "strangers"

    def prepare() -> None:
        mine.mkdir(mode=0o777)
        if how == "link":
            own.symlink_to(mine)
        elif how == "file":
            own.touch()
        else:
            own.mkdir(mode=0o700)
            own.chmod(0o777 if how == "open folder" else 0o755)

    stranger.call(prepare)
    with pytest.raises(UnsafePathError):
        default_folder({"TMPDIR": str(open_folder)})
    done = project.clone.run(
        TOOLS / "bucket",
        "cp",
        "--scratch",
        "table.csv",
        check=False,
        TMPDIR=str(open_folder),
        SCRATCH="",
    )
    assert done.returncode == 1
    assert str(own) in done.stderr
    assert "Traceback" not in done.stderr
    assert not any(mine.iterdir())


def test_others_cannot_read_what_was_copied(
    project: Published, open_folder: Path, stranger: Stranger
) -> None:
    open_folder.chmod(0o1777)
    project.clone.run(
        TOOLS / "bucket", "cp", "--scratch", "table.csv", TMPDIR=str(open_folder), SCRATCH=""
    )
    folder = open_folder / f"dvc-bucket-{os.geteuid()}"
    assert (folder / project.root.name / "table.csv").is_file()
    for read in (
        lambda: list(folder.iterdir()),
        lambda: (folder / project.root.name / "table.csv").read_bytes(),
    ):
        with pytest.raises(PermissionError):
            stranger.call(read)


@pytest.mark.usefixtures("project")
def test_a_record_of_another_user_is_not_believed(tmp_path: Path, stranger: Stranger) -> None:
    copy_to(["table.csv"], tmp_path, rev="v1")
    os.chown(tmp_path / staged.NAME, stranger.uid, stranger.gid)
    with pytest.raises(OutputError, match="did not write it"):
        copy_to(["table.csv"], tmp_path)


@pytest.mark.parametrize("force", [False, True])
def test_data_cannot_bring_a_record_of_its_own(
    project: Published, tmp_path: Path, *, force: bool
) -> None:
    client, bucket = s3(project.store), project.store.bucket
    client.put_object(Bucket=bucket, Key=staged.NAME, Body=b"{}")
    with pytest.raises(UnsafePathError, match="in which `bucket cp` keeps its record"):
        copy_to([f"s3://{bucket}/{staged.NAME}"], tmp_path, force=force)
    assert not any(tmp_path.iterdir())
