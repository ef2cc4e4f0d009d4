"""What this machine, or the check itself, keeps from being made is never a fault of the commit."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dvc_bucket.jobs.check.findings import CheckReport
from dvc_bucket.jobs.check.report import show
from tests.check.small import Stages, make, script, stage

BAD = "import os\n\nis_bad = 'BAD_DAY' in os.environ\n"

#: Of each stage what goes wrong on a bad day. Each writes NAME.txt before.
BODIES = {
    "child": "if is_bad:\n    import subprocess\n\n"
    "    subprocess.run(['sh', '-c', 'kill -9 $$'], check=True)",
    "pool": "from concurrent.futures import ProcessPoolExecutor\n\n"
    "if is_bad:\n    with ProcessPoolExecutor(1) as pool:\n        list(pool.map(os._exit, [1]))",
    "matrix": "if is_bad:\n    import numpy\n\n    numpy.ones(2**50)",
    "program": "if is_bad:\n    import subprocess\n\n    subprocess.run(['no-such-program'])",
    "bus": "if is_bad:\n    os.kill(os.getpid(), 7)",
    "module": "if is_bad:\n    import no_such_package",
    "answer": "if is_bad:\n    import urllib.request\n\n"
    "    urllib.request.urlopen('http://127.0.0.1:9')",
    "traces": "import subprocess\n\n"
    "subprocess.run(['strace', '-o', '/dev/null', 'true'], check=True)",
    "after": "read('child.txt')",
    "expires": "import sys, time\n\n"
    "if time.time() > 30 * 86400 + float(Path('dvc.yaml').stat().st_mtime):\n"
    "    sys.exit('the certificate has expired')",
    "differs": "write('differs.txt', str(is_bad))",
    "breaks": "if is_bad:\n    raise SystemExit('no such luck')",
}

#: What is said of each on such a day.
SAID = {
    "child": "On this machine memory is short.",
    "pool": "On this machine a process was killed from outside, as happens when memory is short.",
    "matrix": "On this machine memory is short.",
    "program": "Stage program needs the program no-such-program, which is not installed. "
    "Install it.",
    "bus": "Stage bus was ended by SIGBUS (a full disk or a small /dev/shm, for example). Run the "
    "command again where it can finish.",
    "module": "Stage module needs no-such-package, which is not installed. Run the command "
    "without --here.",
    "answer": "A network service that it uses does not answer here.",
    "after": "On this machine memory is short.",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    files = {
        f"src/{name}.py": script(f"{BAD}write('{name}.txt', '')\n{body}")
        for name, body in BODIES.items()
    }
    stages = {name: stage(name) for name in BODIES}
    stages["after"] = stage("after", deps=["child.txt"])
    stages["answer"] = stage("answer", meta={"network": True})
    made = make(tmp_path_factory.mktemp("evidence") / "project", files, stages)
    made.repo.write("requirements.lock", "no-such-package==1.0\n")
    made.commit()
    return made


@pytest.fixture(scope="module")
def bad_day() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BAD_DAY", "1")
        yield


@pytest.fixture(scope="module")
def report(project: Stages, bad_day: None) -> CheckReport:  # noqa: ARG001
    return project.found(stages=[*SAID, "traces"])


@pytest.mark.parametrize("name", SAID)
def test_a_machine_that_fails_is_told_from_a_stage_that_does(
    report: CheckReport, name: str
) -> None:
    assert report.doubts[name] == SAID[name]


def test_nothing_is_said_against_the_commit(
    report: CheckReport, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report.status == 3
    assert {output.verdict for output in report.outputs} == {"could not be looked at"}
    show(report)
    said = capsys.readouterr().out
    assert "NOT CHECKED: " in said
    assert "FAILED" not in said


def test_a_stage_that_may_not_be_traced_is_said_to_be_traced(report: CheckReport) -> None:
    assert report.doubts["traces"].startswith("Stage traces cannot run while it is traced: strace:")


@pytest.mark.usefixtures("bad_day")
def test_what_differs_and_what_fails_by_itself_counts_whatever_else_the_machine_does(
    project: Stages, capsys: pytest.CaptureFixture[str]
) -> None:
    report = project.found(stages=["child", "differs", "breaks"], causes=False)
    assert report.status == 1
    assert report.doubts.keys() == {"child"}
    show(report)
    said = " ".join(capsys.readouterr().out.split())
    assert "2 of 3 outputs differ; 1 could not be looked at here; 2 more as listed" in said


def test_a_stage_that_does_not_bear_another_clock_could_not_be_looked_at(project: Stages) -> None:
    report = project.found(stages=["expires"], vary=("clock",), times=2)
    assert report.status == 3
    assert [one.verdict for one in report.outputs] == ["identical", "could not be looked at"]
    assert report.causes["expires"] == ["the certificate has expired"]
    assert [one.text for one in report.findings] == [
        "expires failed with changes of the clock: failed to run: python src/expires.py, "
        "exited with 1."
    ]
    assert report.doubts["expires"] == (
        "Stage expires fails with changes of the clock, but runs without them, so it is unknown "
        "whether its bytes depend on them."
    )


def test_half_a_line_of_a_runner_that_was_killed_is_no_line(tmp_path: Path) -> None:
    from dvc_bucket.jobs.check import processes

    lines: list[str] = []
    command = ["printf", '{"whole": 1}\n{"ha']
    processes.run(command, cwd=tmp_path, env={}, log=tmp_path / "log", on_line=lines.append)
    assert lines == ['{"whole": 1}']
