"""The whole life of versioned data, with real `make`, `dvc` and `git` commands."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import obstore
import pytest
from ruamel.yaml import YAML

from dvc_bucket import Project, Settings
from dvc_bucket.connection import dvc_config as config
from tests.ci import running
from tests.ci.forges import Event, GitHub
from tests.clones import Clone
from tests.end_to_end.clones import own_code

#: What the CI files have made, but for what takes minutes.
MADE = ("setup", "reproduce", "verify", "changes")

DATA = ("data/raw", "data/interim", "data/processed", ".dvc/cache")


def output_hashes(clone: Clone) -> dict[str, str]:
    """Hash of every output, by path, as `dvc.lock` records it."""
    stages = YAML(typ="safe").load(clone.root / "dvc.lock")["stages"]
    return {out["path"]: out["md5"] for stage in stages.values() for out in stage["outs"]}


def git_status(clone: Clone) -> str:
    return clone.run("git", "status", "--porcelain").stdout


def forget_data(clone: Clone) -> None:
    for folder in DATA:
        shutil.rmtree(clone.root / folder)


def test_the_figures_are_those_that_the_question_expects(reproduced: Clone) -> None:
    metrics = json.loads((reproduced.root / "reports/metrics.json").read_text())
    expected = {"constant": 0.50, "schedule": 0.67, "weather": 0.70, "knock_on": 0.74}
    for model, auc in expected.items():
        assert metrics["auc"][model] == pytest.approx(auc, abs=0.01)
    assert abs(metrics["auc_gain"]["aircraft"]) < 0.005
    assert metrics["flights"] == 54_145


def test_results_are_the_committed_ones_in_any_folder_time_zone_and_locale(
    reproduced: Clone,
) -> None:
    assert git_status(reproduced) == ""
    assert len(output_hashes(reproduced)) == 19


@pytest.fixture(scope="module")
def ci_lines(
    reproduced: Clone, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, subprocess.CompletedProcess[str]]:
    """The short lines of the CI files as they stand there, run after `make reproduce`; by command.

    The long ones are `.ci/run`'s. The soak runs every job from its first line to its last.
    """
    running.let_be_set_up(reproduced.root)
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    reproduced.run("git", *identity, "commit", "-q", "--allow-empty", "-m", "A merge, or as good")
    own = Settings.load(Project(reproduced.root)).endpoint_url
    forge, summary = GitHub(Event("request")), tmp_path_factory.mktemp("summary") / "summary.md"
    told = {"GITHUB_STEP_SUMMARY": str(summary)}
    return {
        text.split(" ARGS=")[0]: running.run(reproduced, text, env | told, endpoint=own)
        for text, env in running.scripts(forge, forge.jobs["embedded"])
        if not text.startswith(("make check", "make stop"))
    } | {"summary": reproduced.run("cat", summary)}


def test_the_short_lines_of_the_ci_files_run(
    reproduced: Clone, ci_lines: dict[str, subprocess.CompletedProcess[str]]
) -> None:
    commands = {".ci/packages", *(f"make {word}" for word in MADE)}
    assert {name.removeprefix("sudo ") for name in ci_lines} == {*commands, "summary"}
    assert "\nComplete: " in ci_lines["make verify"].stdout
    report = (reproduced.root / "ci-report/report.md").read_text()
    assert report.startswith("<!-- bucket report -->\n")
    assert ci_lines["summary"].stdout == report
    assert git_status(reproduced) == ""


def test_a_second_run_finds_nothing_to_do_and_a_pipe_gets_plain_lines(
    reproduced: Clone, ci_lines: dict[str, subprocess.CompletedProcess[str]]
) -> None:
    done = ci_lines["make reproduce"]
    assert "Data and pipelines are up to date." in done.stdout
    assert "Everything is up to date." in done.stdout
    assert "Running stage" not in done.stdout
    assert re.search(r"knock_on +0\.74", done.stdout)
    assert str(reproduced.root / "reports/report.html") in done.stdout
    assert not re.search(r"\x1b|\r|[┃━█]", done.stdout + done.stderr)


@pytest.mark.parametrize(
    "command",
    [
        ["bucket", "status", "-c"],
        ["dotenv", "run", "--", "dvc", "status", "-c"],
        ["sh", "-c", "set -a; . ./.env; set +a; dvc status -c"],
        ["uv", "run", "dvc", "status", "-c"],
    ],
    ids=lambda command: command[0],
)
def test_plain_dvc_reaches_the_store_by_each_documented_way(
    reproduced: Clone, command: list[str]
) -> None:
    if not shutil.which(command[0], path=reproduced.environment["PATH"]):
        pytest.skip(f"{command[0]} is not on the PATH")
    done = reproduced.run(*command, UV_ENV_FILE=".env")
    assert "in sync" in done.stdout


def test_plain_dvc_push_restores_what_the_remote_lost(reproduced: Clone) -> None:
    project = Project(reproduced.root)
    md5 = output_hashes(reproduced)["data/processed/predictions.parquet"]
    key = f"{config.address(project)[1]}/files/md5/{md5[:2]}/{md5[2:]}"
    obstore.delete(Settings.load(project).obstore(), key)
    script = "set -a; . ./.env; set +a; dvc push"
    assert "1 file pushed" in reproduced.run("sh", "-c", script).stdout


def test_pull_brings_everything_back_and_nothing_is_left_to_do(reproduced: Clone) -> None:
    forget_data(reproduced)
    reproduced.make("pull")
    assert git_status(reproduced) == ""
    done = reproduced.make("reproduce")
    assert "Data and pipelines are up to date." in done.stdout


def test_a_pull_from_a_store_that_never_held_the_data_says_what_makes_it(
    make_clone: Callable[..., Clone], tmp_path: Path
) -> None:
    done = make_clone(tmp_path / "clone").run("make", "-o", ".venv/.installed", "pull", check=False)
    assert done.returncode == 2  # make's own status for a failed recipe
    assert "  - `make reproduce`, if the inputs" in done.stderr.splitlines()[-2]


def test_clean_takes_all_data_of_the_stages_and_a_pull_brings_it_back(
    reproduced: Clone,
) -> None:
    before = output_hashes(reproduced)
    done = reproduced.run("bucket", "clean")
    assert re.match(
        r"Removed \d+ files \(\d+\.\d MB\)\. `bucket pull` restores them\.\n$", done.stdout
    )
    assert [path.name for path in (reproduced.root / "data").iterdir()] == ["README.md"]
    assert git_status(reproduced) == ""
    reproduced.run("bucket", "pull")
    again = reproduced.make("reproduce").stdout
    assert "Data and pipelines are up to date." in again
    assert "Running stage" not in again
    assert output_hashes(reproduced) == before


def test_plain_dvc_pull_and_repro_work_with_the_environment_loaded(reproduced: Clone) -> None:
    forget_data(reproduced)
    reproduced.run("dotenv", "run", "--", "dvc", "pull")
    done = reproduced.run("dotenv", "run", "--", "dvc", "repro")
    assert "Running stage" not in done.stdout


def test_a_changed_parameter_reruns_its_stage_and_what_follows(
    reproduced: Clone, tmp_path: Path
) -> None:
    # A second clone of the first one's commit, on the first one's store.
    root = tmp_path / "second"
    subprocess.run(["git", "clone", "-q", str(reproduced.root), str(root)], check=True)
    for name in (".env", ".dvc/config.local"):
        shutil.copy(reproduced.root / name, root / name)
    second = Clone(root, reproduced.environment | {"PYTHONPATH": own_code(root)})
    second.run("bucket", "pull")
    params = root / "params.yaml"
    params.write_text(params.read_text().replace("resamples: 2000", "resamples: 1000"))
    refused = second.run("bucket", "reproduce", "--locked", check=False)
    assert re.findall(r"Running stage '(\w+)'", refused.stdout) == ["evaluate", "report"]
    assert refused.returncode == 1
    assert "Results differ from dvc.lock: evaluate, report. Nothing was pushed." in refused.stderr
    done = second.run("bucket", "reproduce")
    assert "Data and pipelines are up to date." in done.stdout
    assert re.search(r"[1-9]\d* files? pushed", done.stdout)


def test_a_stage_that_fails_names_the_cause_and_the_next_run_finishes(reproduced: Clone) -> None:
    params = reproduced.root / "params.yaml"
    before = params.read_text()
    params.write_text(before.replace("calibration_bins: 10", "calibration_bins: ten"))
    try:
        failed = reproduced.run("bucket", "reproduce", check=False)
    finally:
        params.write_text(before)
    assert failed.returncode == 1
    assert "params.yaml: evaluate.calibration_bins" in failed.stderr
    assert "`dvc repro` failed" in failed.stderr
    assert "Traceback" not in failed.stdout + failed.stderr
    # DVC removes a stage's outputs before it runs; the next run makes them again.
    mended = reproduced.run("bucket", "reproduce")
    assert re.findall(r"Running stage '(\w+)'", mended.stdout) == ["evaluate"]
    assert git_status(reproduced) == ""
