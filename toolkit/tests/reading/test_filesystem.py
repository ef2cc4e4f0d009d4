"""The tracked tree of a revision as a file system: fsspec's own tests, and DVC's as reference."""

import pickle
import posixpath
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dvc.api import DVCFileSystem
from fsspec.implementations.local import LocalFileSystem
from fsspec.tests.abstract import AbstractFixtures, get

from dvc_bucket import BucketError, filesystem
from dvc_bucket.base.errors import ChecksumError, NotPushedError, NotTrackedError
from dvc_bucket.dvc import connected
from tests.reading.conftest import fresh_clone
from tests.stores.fixtures import access
from tests.verify.published import Published, empty


def test_it_lists_and_reads_what_dvc_s_own_does(
    bare: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in connected.environment(bare.project, bare.settings).items():
        monkeypatch.setenv(name, value)
    ours, theirs = filesystem("v1"), DVCFileSystem(".", rev="v1")
    tracked = {path.strip("/") for path in theirs.find("/")}
    assert tracked <= set(ours.find(""))
    for path in sorted(tracked):
        assert ours.cat_file(path) == theirs.cat_file(path)
        assert ours.info(path)["size"] == len(theirs.cat_file(path))
        assert ours.cat_file(path, 3, -4) == theirs.cat_file(path)[3:-4]
    for folder in ("", "many", "years", "years/year=2011"):
        names = {path.strip("/") for path in theirs.ls(folder or "/", detail=False)}
        assert names <= set(ours.ls(folder, detail=False))


@pytest.mark.usefixtures("bare")
def test_each_revision_has_its_own_content() -> None:
    old, new = filesystem("v1"), filesystem("main")
    assert old.cat("codes.csv").startswith(b'"code","name"')
    assert old.ukey("codes.csv") != new.ukey("codes.csv") == filesystem().ukey("codes.csv")
    assert old.exists("flights.parquet")
    assert not old.exists("unpushed.csv")
    assert new.exists("unpushed.csv")


@pytest.mark.usefixtures("bare")
def test_what_is_in_the_workspace_is_read_there() -> None:
    Path("notes.bin").write_bytes(b"mine")
    assert filesystem().cat("notes.bin") == b"mine"
    assert filesystem().info("notes.bin")["size"] == 4
    for files in (filesystem(proven="full"), filesystem("main")):
        assert files.cat("notes.bin") == bytes(range(256)) * 10_000


@pytest.mark.usefixtures("bare")
def test_a_file_of_git_is_there_as_well() -> None:
    files = filesystem("v1")
    config = files.cat(".dvc/config")
    assert config == Path(".dvc/config").read_bytes()
    assert files.info(".dvc/config")["size"] == len(config)
    assert files.open(".dvc/config", "r").readline() == "[core]\n"


@pytest.mark.usefixtures("bare")
def test_what_is_not_there_is_a_missing_file_and_one_of_our_errors() -> None:
    files = filesystem("v1")
    for path in ("nothing", "many/nothing", "codes.csv/below", "../codes.csv", "/etc/passwd"):
        assert not files.exists(path)
        with pytest.raises(FileNotFoundError, match="Neither DVC nor git tracks") as caught:
            files.open(path)
        assert isinstance(caught.value, NotTrackedError)
    with pytest.raises(IsADirectoryError):
        files.open("many")
    with pytest.raises(OSError, match="read only"):
        files.open("codes.csv", "wb")
    with pytest.raises(NotPushedError, match=r"unpushed\.csv"):
        filesystem("main").cat("unpushed.csv")


def test_another_process_reads_the_same_commit_of_the_same_clone(
    bare: Published, tmp_path: Path
) -> None:
    files = filesystem("main")
    before = files.cat("texts/03.txt")
    packed = tmp_path / "packed"
    packed.write_bytes(pickle.dumps(files))
    Path("texts.dvc").unlink()
    bare.commit("main moves on")
    code = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb')).cat('texts/03.txt'))"
    said = subprocess.check_output(
        [sys.executable, "-c", code, str(packed)], cwd=tmp_path, text=True
    )
    assert said.strip() == repr(before)


@pytest.mark.parametrize("path", ["codes.csv", "many/03.parquet"])
def test_a_damaged_file_is_no_content(bare: Published, path: str) -> None:
    files = filesystem("v1")
    key = f"files/md5/{files.ukey(path)[:2]}/{files.ukey(path)[2:]}"
    original = bare.get(key)
    bare.put_with_plausible_tag(key, original[:-1] + b"?")
    try:
        with pytest.raises(ChecksumError):
            filesystem("v1").cat(path)
        with pytest.raises(ChecksumError), filesystem("v1").open(path) as file:
            file.read()
        with pytest.raises(ChecksumError), filesystem("v1", proven="full").open(path) as file:
            file.read(1)
    finally:
        bare.put(key, original)


@pytest.mark.usefixtures("bare")
def test_errors_of_several_reads_are_raised_or_returned_or_left_out() -> None:
    files = filesystem("main")
    paths = ["texts/03.txt", "unpushed.csv"]
    with pytest.raises(BucketError):
        files.cat(paths)
    assert isinstance(files.cat(paths, on_error="return")["unpushed.csv"], NotPushedError)
    assert list(files.cat(paths, on_error="omit")) == ["texts/03.txt"]
    assert isinstance(files.cat_ranges(paths, 0, 3)[1], NotPushedError)


@pytest.fixture(scope="module")
def scenarios(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Published:
    """A project whose data is the files of fsspec's own scenarios."""
    root = tmp_path_factory.mktemp("scenarios") / "project"
    made, theirs = empty(root, access(request, "seaweed")), AbstractFixtures()
    writers = {
        "bulk": theirs._bulk_operations_scenario_0,
        "glob": theirs._glob_edge_cases_files,
        "prefix": theirs._dir_and_file_with_same_name_prefix,
        "ten": theirs._10_files_with_hashed_names,
    }
    for name, write in writers.items():
        (root / name).mkdir()
        write(LocalFileSystem(auto_mkdir=True), posixpath.join, str(root / name))
    made.dvc("add", *writers)
    made.commit("Files of the scenarios")
    made.dvc("push")
    return made


class TestGet(get.AbstractGetTests, AbstractFixtures):  # type: ignore[misc]  # fsspec has no types
    """fsspec's own tests of downloads, on the files of its own scenarios, which DVC tracks here."""

    #: It writes to the file system first.
    test_get_directory_recursive = None

    @pytest.fixture
    def fs(self, scenarios: Published, tmp_path: Path) -> Any:
        return filesystem("main", project=fresh_clone(scenarios, tmp_path / "without data").root)

    @pytest.fixture
    def fs_path(self) -> str:
        return ""

    @pytest.fixture
    def fs_join(self) -> Any:
        return posixpath.join

    @pytest.fixture
    def fs_bulk_operations_scenario_0(self) -> str:
        return "bulk/source"

    @pytest.fixture
    def fs_glob_edge_cases_files(self) -> str:
        return "glob/source"

    @pytest.fixture
    def fs_dir_and_file_with_same_name_prefix(self) -> str:
        return "prefix/source"

    @pytest.fixture
    def fs_10_files_with_hashed_names(self) -> str:
        return "ten/source"

    @pytest.fixture
    def local_fs(self) -> Any:
        return LocalFileSystem(auto_mkdir=True)

    @pytest.fixture
    def local_path(self, tmp_path: Path) -> str:
        return str(tmp_path)

    @pytest.fixture
    def local_join(self) -> Any:
        return posixpath.join
