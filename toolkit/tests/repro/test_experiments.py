"""`bucket exp run --queue --jobs`: several experiments at a time, which are DVC's own."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bucket.git_tools import TOOLS, Repo, environment, make_repo, own_secret
from tests.repro.test_side_by_side import is_alive

#: Longer than any step of these tests takes, on a loaded machine.
SECONDS = 120

#: A stage that all experiments have in common, and one that the parameter changes; seed 2 fails.
#: With the seed 9 it waits for the end of the test.
FLOW = """\
stages:
  prepare:
    cmd: echo prepare >> "$RUNS"; sleep 1; cat in.txt > prepared.txt
    deps: [in.txt]
    outs: [prepared.txt]
  train:
    cmd: sh train.sh
    meta: {memory: 1MB}
    deps: [prepared.txt, train.sh]
    params: [train]
    metrics:
      - metrics.json: {cache: false}
    outs: [key.txt]
"""
TRAIN = """\
seed=$(sed -n 's/  seed: //p' params.yaml)
echo "train $seed" >> "$RUNS"
test "$seed" != 2 || { echo no luck >&2; exit 7; }
if [ "$WAITS" ]; then echo $$ > "$WAITS/$seed.pid"; sleep 300; fi
echo "{\\"score\\": 0.$seed, \\"rows\\": 1}" > metrics.json
printf %s "$AWS_SECRET_ACCESS_KEY$OS_SECRET_ACCESS_KEY" | sha256sum | cut -c -64 > key.txt
"""


@dataclass(frozen=True)
class Sweep:
    """A repository in which a sweep ran.

    Attributes:
        repo: the repository.
        runs: the file with a line for each command that ran.
        done: the command's end.
    """

    repo: Repo
    runs: Path
    done: "subprocess.CompletedProcess[str]"

    def dvc(self, *words: str) -> str:
        return self.repo.run(TOOLS / "dvc", *words).stdout


def project(folder: Path, flow: str = FLOW) -> Repo:
    """A committed pipeline that has not run."""
    repo = make_repo(folder / "a river, é")
    repo.write("dvc.yaml", flow)
    repo.write("train.sh", TRAIN)
    repo.write("in.txt", "in\n")
    repo.write("params.yaml", "train:\n  seed: 1\n")
    repo.git("add", "--all")
    repo.commit("--quiet", "--no-verify")
    return repo


def exp_run(repo: Repo, *words: str, env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    return repo.run(TOOLS / "bucket", "exp", "run", *words, check=False, env=env)


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    folder = tmp_path_factory.mktemp("sweep")
    repo, runs = project(folder), folder / "runs.log"
    words = ("-S", "train.seed=range(1,4)", "--queue", "--jobs", "2", "--name", "s")
    return Sweep(repo, runs, exp_run(repo, *words, env={"RUNS": str(runs)}))


def test_an_experiment_that_fails_stops_only_itself(sweep: Sweep) -> None:
    assert sweep.done.returncode == 1
    line = "Experiment 's-2' failed: exit status 255; the lines above say why."
    assert line in sweep.done.stderr.splitlines()
    assert "Output of experiment 's-2':\n" in sweep.done.stdout
    assert "no luck" in sweep.done.stdout


def test_a_stage_in_common_is_run_by_one_and_taken_by_the_others(sweep: Sweep) -> None:
    assert sorted(lines(sweep.runs)) == ["prepare", "train 1", "train 2", "train 3"]
    assert sweep.done.stdout.splitlines()[-1] == (
        "2 experiments done, 1 failed (s-2). 3 stages ran, 2 taken from the run cache. "
        "Compare them: `bucket report --experiments`."
    )


def test_plain_dvc_has_the_experiments_and_the_failed_one(sweep: Sweep) -> None:
    assert set(sweep.dvc("exp", "list", "--name-only").split()) == {"s-1", "s-3"}
    status = sweep.dvc("queue", "status")
    assert "Failed" in next(line for line in status.splitlines() if "s-2" in line)
    assert not any(word in status for word in ("Queued", "Running", "Success"))
    sweep.dvc("exp", "apply", "s-3")
    try:
        assert json.loads((sweep.repo.root / "metrics.json").read_text())["score"] == 0.3
        assert (sweep.repo.root / "key.txt").is_file()
    finally:
        sweep.repo.git("reset", "--hard", "--quiet")
    sweep.dvc("exp", "branch", "s-1", "first")
    assert "seed: 1" in sweep.repo.git("show", "first:params.yaml").stdout


def test_the_connection_reaches_the_folders_of_the_experiments(sweep: Sweep) -> None:
    """Under the names of DVC, and under our own, as the folders have no `.env`."""
    secret = hashlib.sha256(own_secret(sweep.repo).encode() * 2).hexdigest()
    objects = sweep.repo.root.glob(".dvc/cache/files/md5/*/*")
    assert f"{secret}\n" in [file.read_text() for file in objects]


def test_nothing_is_left_of_the_folders(sweep: Sweep) -> None:
    left = [path for path in (sweep.repo.root / ".dvc/tmp/exps").rglob("*") if path.is_dir()]
    assert not [path for path in left if (path / ".git").exists()]
    assert not [*(sweep.repo.root / ".dvc/tmp/exps/bucket").glob("run*")]


def test_the_report_has_a_table_and_a_diagram_of_them(sweep: Sweep) -> None:
    page = sweep.repo.bucket("report", "--experiments").stdout
    assert page.startswith("<!-- bucket report of experiments -->\n## 2 experiments from ")
    assert "| experiment | `train.seed` | `score` |\n| --- | ---: | ---: |\n" in page
    assert "| `s-1` | 1 | 0.1 |\n| `s-3` | 3 | 0.3 |\n" in page
    assert '  x-axis "train.seed" 1 --> 3\n' in page
    assert "  line [0.1, 0.3]\n" in page


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_sweep_keeps_to_the_needs_and_resumes_after_ctrl_c(tmp_path: Path) -> None:
    """Of two that need all of the machine, one waits, and neither is lost."""
    repo, runs = project(tmp_path, FLOW.replace("memory: 1MB", "cpus: 9999")), tmp_path / "runs"
    variables = {"RUNS": str(runs)}
    words = ("-S", "train.seed=4,5", "--queue", "--jobs", "2", "--name", "w")
    with subprocess.Popen(
        [TOOLS / "bucket", "exp", "run", *words],
        cwd=repo.root,
        env={**environment(), **variables, "WAITS": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        pid = next(_pids(tmp_path))
        time.sleep(1)
        assert len([*tmp_path.glob("?.pid")]) == 1
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 252, said
    assert "0 experiments done. 1 stage ran, 0 taken from the run cache. 2 experiments in" in said
    assert not is_alive(pid)
    done = exp_run(repo, "--run-all", "-j2", env=variables)
    assert done.returncode == 0
    assert "2 experiments done. 2 stages ran, 2 taken from the run cache." in done.stdout
    assert lines(runs).count("prepare") == 1
    assert not repo.git("for-each-ref", "refs/exps/celery").stdout  # nothing waits, nothing failed


def _pids(folder: Path) -> Iterator[int]:
    """Numbers of the processes that wait, once there is one."""
    deadline = time.monotonic() + SECONDS
    while not [*folder.glob("?.pid")]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    for file in folder.glob("?.pid"):
        yield int(file.read_text())


def test_a_number_of_jobs_that_is_none_is_wrong_usage(tmp_path: Path) -> None:
    done = subprocess.run(
        [TOOLS / "bucket", "exp", "run", "--queue", "--jobs", "many"],
        cwd=tmp_path,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "'many' is not a positive number of experiments." in done.stderr
