"""Runs against each other, other tracers, inputs, interruptions and what people get wrong."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from bucket.kernels import pins
from tests.check.faults import CALL
from tests.check.small import Stages, make, script, stage, tools, without_strace
from tests.end_to_end.clones import TOOLS

WORKERS = "import os\n\nworkers = int(os.environ.get('OMP_NUM_THREADS', '2'))\n"

BODIES = {
    "same": "write('same.txt', 'same')",
    "workers": f"{WORKERS}write('workers.txt', str(workers))",
    "sums": f"import json\n{WORKERS}"
    "write('sums.json', json.dumps({'sum': 0.5 + workers * 1e-12}))",
    "sees": f"import helper\n{CALL}write('sees.txt', helper.TEXT)",
    "sleeps": "import time\n\nwrite('asleep', '')\ntime.sleep(float(read('seconds')))\n"
    "write('sleeps.txt', '')",
}

STAGES: dict[str, Any] = {
    "same": stage("same"),
    "workers": stage("workers"),
    "sums": stage("sums", outs=["sums.json"]),
    "sees": stage("sees"),
    "sleeps": stage("sleeps", deps=["seconds"]),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    """Stages that give what `dvc.lock` has, but not everywhere; and a second commit."""
    files = {f"src/{name}.py": script(body) for name, body in BODIES.items()}
    files |= {"src/helper.py": "TEXT = 'helped'\n", "seconds": "0"}
    made = make(tmp_path_factory.mktemp("runs") / "project", files, STAGES)
    made.commit()
    made.repo.git("tag", "good")
    made.repo.write("seconds", "60")
    made.commit()
    return made


def outcome(report: dict[str, Any], path: str) -> list[tuple[str, str]]:
    return [(one["against"], one["verdict"]) for one in report["outputs"] if one["path"] == path]


def test_a_second_run_finds_what_depends_on_threads_and_a_tolerance_lets_numbers_pass(
    project: Stages, tmp_path: Path
) -> None:
    tolerance = tmp_path / "tolerance.yaml"
    tolerance.write_text("sums.json:\n  keys:\n    sum: {absolute: 1.0e-9}\n")
    report = project.report(
        "good", "--stages", "same,workers,sums", "--times", "2", "--tolerance", str(tolerance)
    )
    assert report["findings"] == []
    assert outcome(report, "same.txt") == [("dvc.lock", "identical"), ("first run", "identical")]
    assert outcome(report, "workers.txt") == [("dvc.lock", "identical"), ("first run", "differs")]
    assert outcome(report, "sums.json") == [
        ("dvc.lock", "identical"),
        ("first run", "within tolerance"),
    ]
    assert report["causes"]["workers"][-1] == "workers depends on one thread, one CPU."
    assert report["ok"] is False


def test_other_kernels_are_set_and_pinned_ones_otherwise(tmp_path: Path) -> None:
    body = "import os\n\nwrite('core.txt', os.environ.get('OPENBLAS_CORETYPE', 'its own'))"
    made = make(tmp_path / "project", {"src/core.py": script(body)}, {"core": stage("core")})
    made.commit()
    report = made.report("--kernels", "--no-causes")
    cores = [found for one in report["outputs"] for _, found in one["values"]]
    assert report["runs"][1].startswith("kernels: ")
    if pins({}):  # a CPU on which they are pinned
        assert cores == ["'its own'", "'Nehalem'", "'Sandybridge'"]
        assert "'Haswell' became 'its own'" in report["outputs"][1]["detail"]


def test_without_strace_pythons_own_events_are_seen_and_that_is_said(
    project: Stages, tmp_path: Path
) -> None:
    path = without_strace(tmp_path / "bin")
    report = project.report("good", "--stages", "sees,same", PATH=path)
    assert "strace is not on the PATH" in report["tracing"]
    found = {(one["kind"], one["stage"]) for one in report["findings"]}
    assert found == {("undeclared import", "sees"), ("undeclared network", "sees")}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_it_leaves_neither_a_folder_nor_a_process(
    project: Stages, tmp_path: Path, number: signal.Signals
) -> None:
    command = [TOOLS / "bucket", "check", "--here", "--stages", "sleeps"]
    env = os.environ | tools() | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=project.root, env=env, start_new_session=True) as process:
        wait_for(tmp_path, "asleep")
        process.send_signal(number)
        assert process.wait(20) != 0
    assert list(tmp_path.iterdir()) == []
    assert not [one for one in psutil.process_iter(["cmdline"]) if str(tmp_path) in str(one.info)]


def wait_for(folder: Path, name: str) -> None:
    deadline = time.monotonic() + 60
    while not list(folder.rglob(name)):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_what_is_asked_wrongly_is_said(project: Stages, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("sums.json: {absolut: 1}\n")
    far = tmp_path / "far.yaml"
    far.write_text("nothing.json: {absolute: 1}\n")
    for words, status, said in (
        (["nowhere"], 2, "No revision nowhere here"),
        (["--stages", "same,sam"], 2, "No stage sam; dvc.yaml has same"),
        (["--tolerance", str(wrong)], 1, "sums.json: absolut: Extra inputs are not permitted"),
        (["--tolerance", str(far)], 1, "nothing.json: no output is there"),
    ):
        done = project.check(*words)
        assert done.returncode == status, words
        assert said in " ".join(done.stderr.replace("│", " ").split()), done.stderr
    done = project.repo.run(TOOLS / "bucket", "check", check=False, env=tools())
    assert done.returncode == 1
    assert "has no requirements.lock" in done.stderr
    assert done.stderr.count("\n") == 1


def test_kept_folders_are_named(project: Stages, tmp_path: Path) -> None:
    done = project.check("good", "--stages", "same", "--keep", TMPDIR=str(tmp_path))
    assert done.returncode == 0
    [folder] = tmp_path.iterdir()
    assert f"Kept: {folder}" in done.stdout
    assert list(folder.rglob("same.txt"))
