"""`bucket repro` and `bucket reproduce`: every dvc.yaml, and no entry of a stage long gone."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from dvc_bucket import Project
from dvc_bucket.connection.env_file import create_env
from dvc_bucket.dvc.snapshot import Snapshot
from dvc_bucket.store.server import Server
from tests import forking
from tests.bucket.store_tools import BUCKET, run
from tests.conftest import discard
from tests.projects import make_project

FLOW = """\
stages:
  {name}:
    cmd: cp in.txt {name}.txt
    deps: [in.txt]
    outs: [{name}.txt]
"""
TWO = """\
stages:
  each:
    foreach: [one, two]
    do:
      cmd: cp in.txt ${item}.txt
      deps: [in.txt]
      outs: ["${item}.txt"]
"""


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project with a dvc.yaml in its root and one in a folder, and data that is not here."""
    project = make_project(tmp_path_factory.mktemp("several") / "clone")
    subprocess.run(["git", "init", "-q"], cwd=project.root, check=True)
    create_env(project)
    Server(project).start()
    for folder, flow in {"": TWO, "sub": FLOW.format(name="old")}.items():
        (project.root / folder).mkdir(exist_ok=True)
        (project.root / folder / "dvc.yaml").write_text(flow)
        (project.root / folder / "in.txt").write_text("in\n")
    (project.root / "lone.csv").write_text("not pulled\n")
    assert run(project, "add", "lone.csv").returncode == 0
    for file in (project.root / ".dvc/cache").rglob("*"):
        if file.is_file() and file.read_text() == "not pulled\n":
            file.chmod(0o600)
            file.unlink()
    (project.root / "lone.csv").unlink()
    yield project
    discard(project)


def locked(project: Project) -> set[str]:
    return {run.name for run in Snapshot.at(project).runs}


def test_the_main_job_runs_every_dvc_yaml(several: Project) -> None:
    done = run(several, "reproduce")
    assert "lone.csv" not in done.stderr.replace("lone.csv.dvc", "").partition("push")[0]
    assert (several.root / "one.txt").read_text() == "in\n"
    assert (several.root / "sub/old.txt").read_text() == "in\n"
    assert locked(several) == {"each@one", "each@two", "sub:old"}


def test_a_target_is_the_only_one(several: Project) -> None:
    (several.root / "in.txt").write_text("other\n")
    run(several, "reproduce", "sub/dvc.yaml")
    assert (several.root / "one.txt").read_text() == "in\n"
    assert run(several, "repro").returncode == 0
    assert (several.root / "one.txt").read_text() == "other\n"


def test_stages_that_are_gone_leave_the_lock_and_are_named(several: Project) -> None:
    (several.root / "dvc.yaml").write_text(TWO.replace(", two", ""))
    (several.root / "sub/dvc.yaml").write_text(FLOW.format(name="new"))
    assert Snapshot.at(several).gone == {"dvc.lock": ["each@two"], "sub/dvc.lock": ["old"]}
    assert locked(several) == {"each@one"}  # all that a report, a crate or a check sees
    before = (several.root / "dvc.lock").read_bytes()
    assert run(several, "repro", "--dry").returncode == 0
    assert (several.root / "dvc.lock").read_bytes() == before
    failed = run(several, "repro", "--locked", "each@one")
    assert failed.returncode == 1
    assert "Results differ from dvc.lock: " in failed.stderr
    assert "each@two" in failed.stderr
    assert "sub/dvc.yaml:old" in failed.stderr
    assert "dvc.lock: removed each@two, which dvc.yaml no longer has." in failed.stdout
    assert "sub/dvc.lock: removed old, which dvc.yaml no longer has." in failed.stdout
    assert locked(several) == {"each@one"}
    again = run(several, "repro", "each@one")
    assert "no longer has" not in again.stdout
    assert not Snapshot.at(several).gone
    # What DVC wrote is as it was.
    one = before.decode().partition("  each@two:")[0]
    assert (several.root / "dvc.lock").read_text() == one


def test_the_lock_stays_one_that_dvc_reads(several: Project) -> None:
    done = forking.run(
        [BUCKET.with_name("dvc"), "status", "--json"],
        cwd=several.root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "each@one" not in json.loads(done.stdout)
