"""The data of an embedded store in a file: whole, proven, and nothing of the other store lost."""

import io
import json
import signal
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import obstore
import pytest

from dvc_bucket import Project, Settings, stored_sha256
from dvc_bucket.base.errors import BucketError
from dvc_bucket.base.progress import silent
from dvc_bucket.jobs.archive import DESCRIPTION, FOLDER, importing
from tests.clones import TOOLS, Clone
from tests.conftest import discard
from tests.sharing.conftest import NEW, OBJECTS, OLD, PUBLISHED, RAW, clone_at


def objects(clone: Clone) -> dict[str, bytes]:
    """Content of every object of a clone's store."""
    store = Settings.load(Project(clone.root), {}).obstore()
    paths = [item["path"] for batch in obstore.list(store) for item in batch]
    return {path: bytes(obstore.get(store, path).bytes()) for path in paths}


@pytest.fixture(scope="module")
def exported(first: Clone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exported") / "data.tar"
    said = first.run("bucket", "serve", "--export", path).stdout
    assert said.startswith(f"{OBJECTS + 1} objects (")
    return path


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path, "r:") as tar:
        found = {member.name: tar.extractfile(member) for member in tar.getmembers()}
        return {name: content.read() for name, content in found.items() if content}


def write(path: Path, content: dict[str, bytes], **changes: object) -> Path:
    """A file of these members, whose description is changed."""
    description = {**json.loads(content[DESCRIPTION]), "objects": len(content) - 1, **changes}
    with tarfile.open(path, "w") as tar:
        for name, body in {**content, DESCRIPTION: json.dumps(description).encode()}.items():
            member = tarfile.TarInfo(name)
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return path


def refused(clone: Clone, file: Path) -> str:
    """The sentence with which a file is refused."""
    with pytest.raises(BucketError) as caught:
        importing.load(Project(clone.root), file, silent)
    return str(caught.value)


def count(clone: Clone) -> int:
    store = Settings.load(Project(clone.root), {}).obstore()
    return sum(map(len, obstore.list(store)))


def test_a_fresh_clone_says_what_its_store_cannot_have_and_gets_it_from_a_file(
    first: Clone, exported: Path, another: Callable[..., Clone]
) -> None:
    second = another()
    second.run("bucket", "serve")
    done = second.run("bucket", "pull", check=False)
    assert done.returncode != 0
    assert "lacks data of 2 of the 2 datasets of this commit" in done.stderr
    for way in ("bucket init", "bucket serve --import FILE", "make reproduce"):
        assert way in done.stderr
    said = second.run("bucket", "serve", "--import", exported).stdout
    assert said.startswith(f"{OBJECTS + 1} objects (")
    assert objects(second) == objects(first)
    assert stored_sha256(PUBLISHED, settings=Settings.load(Project(second.root), {}))
    second.run("bucket", "pull")
    assert (second.root / "table.csv").read_bytes() == NEW
    second.run("git", "checkout", "-q", "HEAD~1")
    second.run("bucket", "pull")
    assert (second.root / "table.csv").read_bytes() == OLD
    again = second.run("bucket", "serve", "--import", exported).stdout
    assert again.startswith(f"0 objects (0 B) imported; {OBJECTS + 1} existed")


def test_the_file_is_an_ordinary_tar_and_the_same_each_time(
    first: Clone, exported: Path, tmp_path: Path
) -> None:
    found = members(exported)
    assert found.pop(DESCRIPTION)
    assert {f"{FOLDER}{key}": body for key, body in objects(first).items()} == found
    first.run("bucket", "serve", "--export", tmp_path / "again.tar")
    assert (tmp_path / "again.tar").read_bytes() == exported.read_bytes()


def test_an_existing_file_is_not_replaced(first: Clone, tmp_path: Path) -> None:
    file = tmp_path / "data.tar"
    file.write_bytes(b"the only copy of something")
    done = first.run("bucket", "serve", "--export", file, check=False)
    assert (done.returncode, "exists already" in done.stderr) == (1, True)
    assert file.read_bytes() == b"the only copy of something"


@pytest.mark.parametrize("other", ["--stop", "--status", "--import"])
def test_one_thing_at_a_time(first: Clone, tmp_path: Path, other: str) -> None:
    more = [tmp_path / "y"] if other == "--import" else []
    words = ("bucket", "serve", "--export", tmp_path / "x", other)
    done = first.run(*words, *more, check=False)
    assert (done.returncode, "exclude each other" in done.stderr) == (2, True)


def test_a_damaged_object_is_not_exported(
    exported: Path, another: Callable[..., Clone], tmp_path: Path
) -> None:
    second = another()
    second.run("bucket", "serve", "--import", exported)
    key = next(key for key in objects(second) if "files/md5" in key)
    obstore.put(Settings.load(Project(second.root), {}).obstore(), key, b"other bytes")
    done = second.run("bucket", "serve", "--export", tmp_path / "data.tar", check=False)
    assert (done.returncode, "is damaged" in done.stderr) == (1, True)
    assert not list(tmp_path.glob("*data.tar*"))


def test_content_of_the_store_is_never_replaced(
    exported: Path, another: Callable[..., Clone]
) -> None:
    second = another()
    second.run("bucket", "serve")
    store = Settings.load(Project(second.root), {}).obstore()
    obstore.put(store, PUBLISHED, b"another")
    said = refused(second, exported)
    assert repr(PUBLISHED) in said
    assert "Everything else was imported" in said
    assert objects(second)[PUBLISHED] == b"another"
    assert len(objects(second)) == OBJECTS + 1


@pytest.fixture(scope="module")
def target(first: Clone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """A clone whose store is empty and stays so."""
    root = tmp_path_factory.mktemp("target") / "clone"
    first.run("git", "clone", "-q", str(first.root), str(root))
    clone = clone_at(root)
    clone.run("bucket", "serve")
    yield clone
    discard(Project(root))


@pytest.mark.parametrize(
    "name",
    ["objects/../../escape", "objects//absolute", "objects/.git/hooks/x", "/etc/x", "objects/"],
)
def test_unsafe_names_are_refused_before_anything_is_imported(
    exported: Path, target: Clone, tmp_path: Path, name: str
) -> None:
    file = write(tmp_path / "bad.tar", members(exported) | {name: b"x"})
    assert "not allowed" in refused(target, file) or "not an object" in refused(target, file)
    assert objects(target) == {}


def test_links_doubles_and_other_files_are_refused(
    exported: Path, target: Clone, tmp_path: Path
) -> None:
    link, double = tmp_path / "link.tar", tmp_path / "double.tar"
    for file in (link, double):
        write(file, members(exported), objects=OBJECTS + 2)
    with tarfile.open(link, "a") as tar:
        member = tarfile.TarInfo(f"{FOLDER}link")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    with tarfile.open(double, "a") as tar:
        tar.addfile(tarfile.TarInfo(f"{FOLDER}{PUBLISHED}"))
    for file in (link, double):
        assert "not an object or occurs twice" in refused(target, file)
    other = tmp_path / "other.tar"
    with tarfile.open(other, "w") as tar:
        tar.addfile(tarfile.TarInfo("README"))
    assert "this version of `bucket serve --export` did not write it" in refused(target, other)
    assert "is incomplete" in refused(target, Path(__file__))
    assert "cannot be read" in refused(target, tmp_path / "nowhere.tar")
    foreign = write(tmp_path / "foreign.tar", members(exported), remote="s3://lab/other")
    assert "s3://lab/other" in refused(target, foreign)
    assert objects(target) == {}


def test_a_file_that_lost_its_end_is_refused(exported: Path, target: Clone, tmp_path: Path) -> None:
    content = exported.read_bytes()
    for size in (len(content) // 2, 1000, 0):
        (tmp_path / "cut.tar").write_bytes(content[:size])
        assert "is incomplete" in refused(target, tmp_path / "cut.tar")
    found = members(exported)
    found.pop(f"{FOLDER}{PUBLISHED}")
    less = write(tmp_path / "less.tar", found, objects=OBJECTS + 1)
    assert f"{OBJECTS} of the {OBJECTS + 1} objects" in refused(target, less)
    assert objects(target) == {}


def test_content_that_is_not_what_its_name_promises_is_refused(
    exported: Path, another: Callable[..., Clone], tmp_path: Path
) -> None:
    found = members(exported)
    name = next(name for name in found if "files/md5" in name and not name.endswith(".dir"))
    clone = another()
    file = write(tmp_path / "bad.tar", found | {name: b"x" * len(found[name])})
    assert "is damaged" in refused(clone, file)
    assert name.removeprefix(FOLDER) not in objects(clone)
    with tarfile.open(exported) as tar:
        member = tar.getmember(f"{FOLDER}{PUBLISHED}")
    bad = tmp_path / "published.tar"
    bad.write_bytes(exported.read_bytes().replace(RAW, RAW.upper()))
    assert member.size == len(RAW)
    assert "is damaged" in refused(clone, bad)


def test_a_killed_import_is_finished_by_the_next(
    exported: Path, another: Callable[..., Clone], tmp_path: Path
) -> None:
    clone, many = another(), 200
    clone.run("bucket", "serve")
    found = {DESCRIPTION: members(exported)[DESCRIPTION]}
    found |= {f"{FOLDER}published/{number:03}": b"x" * 20_000 for number in range(many)}
    file = write(tmp_path / "many.tar", found)
    command = [str(TOOLS / "bucket"), "serve", "--import", str(file)]
    running = subprocess.Popen(command, cwd=clone.root, env=clone.environment)
    deadline = time.monotonic() + 60
    while not count(clone) and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait(10)
    assert 0 < count(clone) < many
    clone.run("bucket", "serve", "--import", file)
    assert count(clone) == many
    assert not (clone.root / ".bucket" / ".bucket-unfinished").exists()
