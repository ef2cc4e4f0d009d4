"""DVC's cache: root makes no links that it would write through, and a changed object is named."""

import json
import os
import shutil
from functools import partial
from hashlib import md5
from pathlib import Path

import pytest

from dvc_bucket import Project
from dvc_bucket.base.errors import NotCheckedError
from dvc_bucket.connection import cache_links
from dvc_bucket.dvc.audit.cache import ASIDE
from dvc_bucket.jobs.doctor.check import Skip, Warn
from dvc_bucket.jobs.doctor.machine import CacheContents, RootWritesThrough
from dvc_bucket.jobs.doctor.patient import Patient
from dvc_bucket.jobs.verify import cache
from tests.safety.conftest import Stranger
from tests.verify.published import Published

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root writes to read-only files")

#: Two files and a folder.
DATA = ("one.csv", "two.csv", "folder/a.bin", "folder/b.bin")


@pytest.fixture(scope="session")
def project_original(
    empty_original: Published, tmp_path_factory: pytest.TempPathFactory
) -> Published:
    """With data in the cache and in the bucket; no file is a link to the cache."""
    made = empty_original.copy(tmp_path_factory.mktemp("cache") / "project")
    for name in DATA:
        path = made.root / "data/raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text_of(name))
    made.dvc("add", "-q", *(f"data/raw/{name}" for name in ("one.csv", "two.csv", "folder")))
    made.dvc("push", "-q")
    made.commit("Data")
    return made


@pytest.fixture
def project(project_original: Published, tmp_path: Path) -> Published:
    return project_original.copy(tmp_path / "project")


def text_of(name: str) -> str:
    return f"the content of {name}"


def data(project: Published, name: str) -> Path:
    return project.root / "data/raw" / name


def cached_object(project: Published, name: str) -> Path:
    oid = md5(text_of(name).encode()).hexdigest()
    return project.root / ".dvc/cache/files/md5" / oid[:2] / oid[2:]


def damage(project: Published, name: str) -> None:
    """Other bytes of the same size, and read-only again: DVC takes that for right."""
    path = cached_object(project, name)
    path.chmod(0o644)
    path.write_text(path.read_text().upper())
    path.chmod(0o444)


@as_root
@pytest.mark.parametrize("command", [("bucket", "pull"), ("bucket", "checkout")])
def test_what_root_writes_does_not_reach_the_cache(
    project: Published, command: tuple[str, ...]
) -> None:
    for name in ("one.csv", "two.csv"):
        data(project, name).unlink()
    project.clone.run(*command)
    for name in ("one.csv", "two.csv"):
        data(project, name).write_text("written by root")
    project.dvc("checkout", "-q", "--force")  # plain DVC, from the cache
    assert data(project, "one.csv").read_text() == text_of("one.csv")
    data(project, "one.csv").write_text("written by root")
    assert cache.check(project.project).ok


@as_root
def test_set_up_has_plain_dvc_of_root_make_no_links(project: Published) -> None:
    project.clone.run("bucket", "protect-cache")
    assert "reflink,copy" in project.project.dvc_config_local.read_text()
    assert "hardlink" in project.project.dvc_config.read_text()  # others share that file
    data(project, "one.csv").unlink()
    project.dvc("checkout", "-q")
    assert data(project, "one.csv").stat().st_nlink == 1


@as_root
def test_a_choice_of_this_clone_stays_and_the_doctor_warns(project: Published) -> None:
    project.dvc("config", "--local", "cache.type", "symlink")
    cache_links.protect_cache(project.project)
    assert cache_links.link_types(project.project) == ["symlink"]
    with pytest.raises(Warn, match=r"cache\.type has symlink"):
        RootWritesThrough.check(Patient(project.project))


def test_who_is_not_root_keeps_the_links(stranger: Stranger, open_folder: Path) -> None:
    theirs = Project(open_folder)
    theirs.dvc_config.parent.mkdir()
    theirs.dvc_config.write_text('[cache]\n    type = "reflink,hardlink,symlink,copy"\n')
    theirs.dvc_config.parent.chmod(0o777)

    def protect() -> list[str]:
        cache_links.protect_cache(theirs)
        return cache_links.link_types(theirs)

    assert stranger.call(protect) == ["reflink", "hardlink", "symlink", "copy"]
    assert not theirs.dvc_config_local.exists()
    protect()
    assert cache_links.link_types(theirs) == ["reflink", "copy"]


@as_root
@pytest.mark.parametrize("link", [Path.hardlink_to, Path.symlink_to])
@pytest.mark.parametrize("name", ["one.csv", "folder/b.bin"])
def test_the_doctor_names_a_link_of_before_and_the_fix_that_ends_it(
    project: Published, name: str, link: object
) -> None:
    assert callable(link)
    cache_links.protect_cache(project.project)
    assert RootWritesThrough.check(Patient(project.project)) == "none"
    data(project, name).unlink()
    link(data(project, name), cached_object(project, name))
    with pytest.raises(Warn, match=f"data/raw/{name} is a link to DVC's cache"):
        RootWritesThrough.check(Patient(project.project))
    assert RootWritesThrough.fix == "`dvc checkout --relink`"
    project.dvc("checkout", "--relink")
    assert RootWritesThrough.check(Patient(project.project)) == "none"


def test_the_doctor_asks_only_root(stranger: Stranger, open_folder: Path) -> None:
    with pytest.raises(Skip):
        stranger.call(lambda: RootWritesThrough.check(Patient(Project(open_folder))))


@pytest.mark.parametrize("name", ["one.csv", "folder/b.bin"])
def test_a_damaged_object_is_named_and_repair_brings_it_back(project: Published, name: str) -> None:
    assert cache.check(project.project).damaged == []
    damage(project, name)
    assert "up to date" in project.clone.run("bucket", "status").stdout

    found = project.clone.run("bucket", "verify", "--cache", check=False)
    assert found.returncode == 1
    key = cached_object(project, name).relative_to(project.root / ".dvc/cache").as_posix()
    assert f"  {key}  data/raw/{name}\n" in found.stdout
    assert "bucket verify --cache --repair" in found.stdout
    with pytest.raises(Warn, match="1 of 5 objects are damaged"):
        CacheContents.check(Patient(project.project))

    bytes_before = cached_object(project, name).read_bytes()
    mended = project.clone.run("bucket", "verify", "--cache", "--repair", "--json")
    [told] = json.loads(mended.stdout)["damaged"]
    assert told["paths"] == [f"data/raw/{name}"]
    assert Path(told["moved_to"]).read_bytes() == bytes_before
    assert not cached_object(project, name).exists()
    project.clone.run("bucket", "fetch")
    assert cached_object(project, name).read_text() == text_of(name)
    assert cache.check(project.project).ok
    assert CacheContents.check(Patient(project.project)) == "5 objects, all intact"


def test_an_object_moved_aside_survives_gc_and_another_of_its_name(project: Published) -> None:
    for content in ("first", "second"):
        path = cached_object(project, "one.csv")
        path.unlink()
        path.write_text(content)
        cache.check(project.project, repair=True)
        project.clone.run("bucket", "fetch")
    project.dvc("gc", "--workspace", "--force")
    aside = project.root / ".dvc/cache" / ASIDE
    assert sorted(path.read_text() for path in aside.iterdir()) == ["first", "second"]
    assert cached_object(project, "one.csv").exists()


def test_only_objects_that_changed_since_are_read_again(project: Published) -> None:
    assert cache.check(project.project).read == 5  # four files, and the list of the folder
    assert cache.check(project.project).read == 0
    cached_object(project, "one.csv").touch()
    assert cache.check(project.project).read == 1
    said = project.clone.run("bucket", "verify", "--cache").stdout
    assert said.startswith("The cache is intact: 5 objects, 0 of them read now, in ")


def test_an_object_that_no_file_needs_is_checked_too(project: Published) -> None:
    data(project, "one.csv").unlink()
    (project.root / "data/raw/one.csv.dvc").unlink()
    damage(project, "one.csv")
    [found] = cache.check(project.project).damaged
    assert found.paths == []


def test_the_cache_is_checked_without_a_store_and_alone(project: Published) -> None:
    project.project.env_file.unlink()
    project.clone.run("bucket", "verify", "--cache")
    both = project.clone.run("bucket", "verify", "--cache", "--deep", check=False)
    assert both.returncode == 2


@pytest.mark.parametrize("what", ["a folder", "an object"])
def test_an_object_that_cannot_be_read_is_neither_right_nor_damaged(
    project: Published, what: str, open_folder: Path, stranger: Stranger
) -> None:
    theirs = Published(open_folder / "project", project.store, project.prefix)
    shutil.copytree(project.root, theirs.root, symlinks=True)
    found = cached_object(theirs, "one.csv")
    (found if what == "an object" else found.parent).chmod(0)
    for path in (theirs.root, *theirs.root.rglob("*")):
        os.chown(path, stranger.uid, stranger.gid, follow_symlinks=False)

    def checked(repair: str) -> None:
        os.environ["HOME"] = str(open_folder)
        cache.check(theirs.project, repair=bool(repair))

    cache.check(project.project)  # the stranger cannot import what this imports
    for repair in ("", "repair"):
        with pytest.raises((NotCheckedError, PermissionError), match=str(found.parent)):
            stranger.call(partial(checked, repair))
    found.parent.chmod(0o700)
    assert found.read_text() == text_of("one.csv")
