"""Runs against each other, other tracers, inputs, interruptions and what people get wrong."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from typer.testing import CliRunner

from dvc_bucket.base.errors import CheckError
from dvc_bucket.base.kernels import pins
from dvc_bucket.cli.app import app
from dvc_bucket.dvc.patched.stage_runner.__main__ import _fits
from dvc_bucket.git.contents import Repository, commit_of
from dvc_bucket.jobs.check import plan
from dvc_bucket.jobs.check.since import touched
from tests.check.faults import CALL
from tests.check.small import Stages, make, script, stage, tools, without_strace
from tests.clones import TOOLS

WORKERS = "import os\n\nworkers = int(os.environ.get('OMP_NUM_THREADS', '2'))\n"

BODIES = {
    "same": "write('same.txt', 'same')",
    "workers": f"{WORKERS}write('workers.txt', str(workers))",
    "sums": f"import json\n{WORKERS}"
    "write('sums.json', json.dumps({'sum': 0.5 + workers * 1e-12}))",
    "core": "import os\n\nwrite('core.txt', os.environ.get('OPENBLAS_CORETYPE', 'its own'))",
    "sees": f"import helper\n{CALL}write('sees.txt', helper.TEXT)",
    "ticks": "import time\n\nwrite('ticks.txt', str(time.time_ns()))",
    "counted": "import os\n\nif place := os.environ.get('RUNS'):\n"
    "    with Path(place).open('a') as runs:\n        runs.write('x')\n"
    "write('counted.txt', 'counted')",
    **{
        one: "import os, time\n\nif place := os.environ.get('MEETING'):\n"
        f"    Path(place, '{one}').touch()\n    until = time.monotonic() + 20\n"
        f"    while not Path(place, '{other}').exists():\n"
        "        assert time.monotonic() < until\n        time.sleep(0.01)\n"
        f"write('{one}.txt', '')"
        for one, other in (("left", "right"), ("right", "left"))
    },
    "sleeps": "import time\n\nwrite('asleep', '')\ntime.sleep(float(read('seconds')))\n"
    "write('sleeps.txt', '')",
}

STAGES: dict[str, Any] = {
    "same": stage("same"),
    "workers": stage("workers"),
    "sums": stage("sums", outs=["sums.json"]),
    "core": stage("core"),
    "sees": stage("sees"),
    "ticks": stage("ticks"),
    "counted": stage("counted"),
    "left": stage("left", meta={"cpus": 0.5}),
    "right": stage("right", meta={"cpus": 0.5}),
    "sleeps": stage("sleeps", deps=["seconds"]),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    """Stages that give what `dvc.lock` has, but not everywhere; and a second commit."""
    files = {f"src/{name}.py": script(body) for name, body in BODIES.items()}
    files |= {"src/helper.py": "TEXT = 'helped'\n", "seconds": "0"}
    gone = {"gone": {"cmd": "true", "deps": ["seconds"]}}
    made = make(tmp_path_factory.mktemp("runs") / "project", files, STAGES | gone)
    made.write_stages(STAGES)
    made.commit()
    made.repo.git("tag", "good")
    made.repo.write("seconds", "60")
    made.commit()
    return made


def outcome(report: dict[str, Any], path: str) -> list[str]:
    """The verdicts of the runs, in order."""
    return [one["verdict"] for one in report["outputs"] if one["path"] == path]


@pytest.fixture(scope="module")
def varied(project: Stages, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What two runs find: as it is, and otherwise."""
    tolerance = tmp_path_factory.mktemp("tolerance") / "tolerance.yaml"
    tolerance.write_text("sums.json:\n  keys:\n    sum: {absolute: 1.0e-9}\n")
    stages = ["same", "workers", "sums"]
    return project.report("good", stages=stages, times=2, tolerance=tolerance)


def test_a_second_run_finds_what_depends_on_threads(varied: dict[str, Any]) -> None:
    assert varied["ok"] is False
    assert varied["findings"] == []
    assert outcome(varied, "same.txt") == ["identical"] * 2
    assert outcome(varied, "workers.txt") == ["identical", "differs"]
    assert varied["found"]["workers"] == ["threads"]


def test_an_entry_of_the_lock_file_whose_stage_is_gone_is_no_stage(varied: dict[str, Any]) -> None:
    assert "gone" not in varied["stages"]
    assert "In dvc.lock but no longer in dvc.yaml: gone." in varied["notes"]


def test_a_tolerance_lets_numbers_pass(varied: dict[str, Any]) -> None:
    assert outcome(varied, "sums.json") == ["identical", "within tolerance"]


def test_stages_run_at_once_as_there_is_room(
    project: Stages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEETING", str(tmp_path))
    report = project.report("good", stages=["left", "right", "same"], jobs=2)
    assert report["findings"] == []
    assert report["ok"]
    assert [*report["seconds"]] == ["same", "left", "right"]
    room = {"jobs": 3, "cpus": 2.0, "memory": 0.0}
    small, large = ({"cpus": cpus, "memory": 0.0} for cpus in (0.5, 4.0))
    assert _fits(large, [], room)
    assert not _fits(large, [small], room)
    assert _fits(small, [small] * 2, room)
    assert not _fits(small, [small] * 3, room)


def test_a_further_run_is_compared_with_what_the_first_made_and_not_with_a_search_for_causes(
    project: Stages,
) -> None:
    outputs = project.report("good", stages=["ticks"], times=2)["outputs"]
    [[[_, made]], [[expected, made_again]]] = [one["values"] for one in outputs]
    assert expected == made != made_again
    assert outcome({"outputs": outputs}, "ticks.txt") == ["differs"] * 2


@pytest.mark.skipif(not pins({}), reason="no kernels are pinned on this CPU")
def test_kernels_are_pinned_and_other_ones_tried(project: Stages) -> None:
    found = project.report("good", stages=["core"], kernels=True)
    assert outcome(found, "core.txt")[0] == "identical"
    values = [pair for one in found["outputs"] for pair in one["values"]]
    assert values == [["'Haswell'", f"'{core}'"] for core in ("its own", "Nehalem", "Sandybridge")]


def test_without_strace_pythons_own_events_are_seen_and_that_is_said(
    project: Stages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", without_strace(tmp_path / "bin"))
    report = project.report("good", stages=["sees", "same"])
    assert "strace is not on the PATH" in report["tracing"]
    found = {(one["kind"], one["stage"]) for one in report["findings"]}
    assert found == {("undeclared import", "sees"), ("undeclared network", "sees")}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_it_leaves_neither_a_folder_nor_a_process(
    project: Stages, tmp_path: Path, number: signal.Signals
) -> None:
    command = [str(TOOLS / "bucket"), "check", "--here", "--stages", "sleeps"]
    env = os.environ | tools() | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=project.root, env=env, start_new_session=True) as process:
        wait_for(tmp_path, "asleep")
        process.send_signal(number)
        assert process.wait(20) != 0
    assert list(tmp_path.iterdir()) == []
    assert not [one for one in psutil.process_iter(["cmdline"]) if str(tmp_path) in str(one.info)]


def test_a_check_that_was_stopped_goes_on_where_it_was(project: Stages, tmp_path: Path) -> None:
    runs, words = tmp_path / "runs", ["check", "--here", "--stages"]
    env = os.environ | tools() | {"TMPDIR": str(tmp_path), "RUNS": str(runs)}
    with subprocess.Popen(
        [str(TOOLS / "bucket"), *words, "counted,sleeps"],
        cwd=project.root, env=env, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        wait_for(tmp_path, "sleeps/output.log")
        time.sleep(0.5)  # the check hears of the stage before
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert "1 stage of the first run kept; the same command continues there." in said
    assert runs.read_text() == "x"
    for times in (1, 2):
        done = project.check(*words[1:], "counted", TMPDIR=str(tmp_path), RUNS=str(runs))
        assert done.returncode == 0
        assert "counted.txt  counted  identical" in done.stdout
        assert runs.read_text() == "x" * times


def wait_for(folder: Path, name: str) -> None:
    deadline = time.monotonic() + 60
    while not list(folder.rglob(name)):
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "Unknown revision nowhere"),
        (["--stages", "same,sam"], "Unknown stage sam; dvc.yaml has same"),
        (["--since", "nowhere"], "Unknown revision nowhere"),
        (["--vary", "seed,moon"], "Unknown condition moon; choose from clock, random, seed"),
    ],
)
def test_what_is_asked_wrongly_is_said(
    project: Stages, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(project.root)
    done = CliRunner().invoke(app, ["check", "--here", *words])
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.replace("│", " ").split())


def test_a_commit_without_a_lock_file_cannot_be_rebuilt(project: Stages) -> None:
    done = project.check()
    assert done.returncode == 1
    assert "has no requirements.lock" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sums.json: {absolut: 1}", "sums.json: absolut: Extra inputs are not permitted"),
        ("sums.json: {absolute: -1}", "greater than or equal to 0"),
        ("sums.json: [", "is not YAML"),
        ("nothing.json: {absolute: 1}", "nothing.json: there is no such output"),
    ],
)
def test_a_wrong_tolerance_is_said(project: Stages, tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "tolerance.yaml"
    file.write_text(f"{text}\n")
    with pytest.raises(CheckError, match=said):
        project.found(tolerance=file)


def test_only_the_stages_are_run_that_a_change_touches(project: Stages) -> None:
    here, repository = project.repo.project, Repository.of(project.repo.project)
    stages, head = plan.read(here).select([]), commit_of(repository, "HEAD")
    changed = touched(here, commit_of(repository, "good"), head, stages)
    assert [stage.name for stage in changed] == ["sleeps"]
    done = project.check("--here", "--since", "HEAD")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith("Nothing to check in ")


Kept = tuple[subprocess.CompletedProcess[str], Path]


@pytest.fixture(scope="module")
def kept(project: Stages, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A check of two runs, and the folder for temporary files."""
    folder = tmp_path_factory.mktemp("kept")
    words = ("--here", "--stages", "same", "--vary", "seed,clock", "--keep")
    project.repo.write("seconds", "30")  # not committed
    done = project.check(*words, TMPDIR=str(folder))
    project.repo.git("checkout", "--quiet", "seconds")
    assert done.returncode == 0
    return done, folder


def test_what_a_further_run_changes_is_chosen_and_said_before(kept: Kept) -> None:
    lines = kept[0].stdout.splitlines()
    assert lines[0] == "Run 2 of 2 changes the clock, the hash seed: about 1 s."


def test_a_folder_is_kept_if_that_is_asked_for(kept: Kept) -> None:
    done, temporary = kept
    assert "all 1 outputs identical to those of the first run." in done.stdout
    assert "uncommitted changes, which were not checked" in done.stdout
    assert done.stderr == ""
    [folder] = temporary.iterdir()
    assert f"Kept: {folder}" in done.stdout
    assert list(folder.rglob("same.txt"))
