"""A clone on a machine with another clone, and a new collaborator whose key may only read."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dvc_bucket import Project, Settings
from dvc_bucket.connection import named_files as places
from dvc_bucket.jobs.doctor import examine, report
from tests.bucket.terminal import Terminal
from tests.clones import TOOLS, Clone
from tests.conftest import discard
from tests.doctor.case import Case, World, person
from tests.doctor.conftest import live_as
from tests.projects import FIXTURE
from tests.stores.swift import Swift

#: Parts of the fixture project that a case lacks.
STAGES = ("dvc.yaml", "params.yaml", "scripts/levels.py")

QUESTIONS = ("Name of the project", "Endpoint of", "Region", "Bucket", "Prefix of this project")


def clone_of(case: Case) -> Clone:
    path = f"{TOOLS}:{person(case)['PATH']}"
    return Clone(case.project.root, person(case) | {"PATH": path})


@pytest.fixture
def beside(case: Case, store: Project) -> Case:
    """A fresh clone whose configuration names the port at which another clone's store runs."""
    endpoint = Settings.load(store).endpoint_url
    now = places.current(case.project)
    names = places.Names(endpoint=endpoint).with_defaults(now)
    for path, (_, after) in places.rewritten(case.project, names).items():
        path.write_text(after)
    case.project.env_file.unlink()
    case.git("remote", "add", "origin", "https://git.example.org/group/project.git")
    case.git("commit", "--quiet", "--all", "--message", "As cloned")
    return case


def test_init_with_enter_only_ends_green_beside_the_store_of_another_clone(
    beside: Case, store: Project
) -> None:
    clone, port = clone_of(beside), Settings.load(store).port
    try:
        with Terminal([TOOLS / "bucket", "init"], clone.root, clone.environment) as terminal:
            for question in QUESTIONS:
                terminal.read_until(question)
                terminal.answer("]", "")
            terminal.answer("Write this? [Y/n]", "")
            assert terminal.end() == 0
        assert f"Port {port} is taken by the store of {store.root}" in terminal.shown
        assert "FAILED" not in terminal.shown
        assert "warning" not in terminal.shown
        assert Settings.load(beside.project, {}).port != port
        assert clone.run("git", "diff", "--name-only", "HEAD").stdout == ""
        assert clone.run("git", "remote", "get-url", "origin").stdout.endswith("/project.git\n")
    finally:
        discard(beside.project)


def test_the_doctor_names_the_clone_whose_store_has_the_port(
    beside: Case, store: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dvc_bucket.connection.env_file import create_env

    create_env(beside.project)
    live_as(beside, monkeypatch)
    [failed] = [one for one in examine(beside.project) if one.status == "failed"]
    assert failed.name == "owner of the port"
    assert f"the store of {store.root}" in failed.found
    assert "make serve" in failed.fix


@pytest.fixture
def reader(request: pytest.FixtureRequest, case: Case) -> Callable[[str], Case]:
    """The case with a key that may read and list, and nothing else, at one of the stores."""

    def at(store: str) -> Case:
        world: World = request.getfixturevalue("world")
        if store == "swift":
            case.connect(world.swift.settings(Swift.READER), world.swift_tls)
        else:
            case.connect(world.weed.settings("reader"), world.weed_tls)
        return case

    return at


@pytest.mark.parametrize("store", ["seaweed", "swift"])
def test_the_doctor_finds_no_fault_with_a_key_that_may_only_read(
    reader: Callable[[str], Case], store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = reader(store)
    live_as(case, monkeypatch)
    results = list(examine(case.project))
    assert not [one for one in results if one.status in {"failed", "warning"}]
    assert not report.failed(results)
    [write] = [one for one in results if one.name == "may write"]
    assert (write.status, write.found[:9]) == ("skipped", "read only")


def test_a_collaborator_with_a_read_only_key_pulls_verifies_reports_and_checks(
    case: Case, world: World, tmp_path: Path
) -> None:
    for name in STAGES:
        (case.project.root / name).parent.mkdir(exist_ok=True)
        shutil.copy(FIXTURE / name, case.project.root / name)
    owner = clone_of(case)
    owner.run("bucket", "repro")
    case.git("add", ".")
    case.git("commit", "--quiet", "--message", "Stages and their results")
    owner.run("bucket", "push")

    owner.run("git", "clone", "-q", ".", tmp_path / "second")
    second = Clone(tmp_path / "second", owner.environment)
    settings = world.weed.settings("reader")
    assert settings.secret_access_key
    keys = {
        "OS_ACCESS_KEY_ID": str(settings.access_key_id),
        "OS_SECRET_ACCESS_KEY": settings.secret_access_key.get_secret_value(),
        "OS_CACERT": str(world.authority.bundle),
    }
    said = second.run("bucket", "init", "--yes", check=True, **keys).stdout
    assert "Nothing to change in the tracked files." in said
    assert "read only: this key may not write" in said
    for words in (["pull"], ["verify"], ["report", "--base", "HEAD"], ["check", "--here"]):
        second.run("bucket", *words)
    results = "data/interim/levels.csv"
    assert (second.root / results).read_bytes() == (owner.root / results).read_bytes()
