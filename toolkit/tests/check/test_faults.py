"""Every fault that a check is for, each named for what it is."""

import json
from typing import Any

import pytest

from dvc_bucket.jobs.check.findings import CheckReport
from dvc_bucket.jobs.check.report import as_json, show
from tests.check.faults import make_faulty
from tests.check.small import Stages


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    return make_faulty(tmp_path_factory.mktemp("faulty") / "project")


@pytest.fixture(scope="module")
def found(faulty: Stages) -> CheckReport:
    return faulty.found()


@pytest.fixture(scope="module")
def report(found: CheckReport) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(as_json(found))
    return told


def verdict(report: dict[str, Any], path: str) -> tuple[str, str]:
    [one] = [one for one in report["outputs"] if one["path"] == path]
    return one["verdict"], one["detail"]


def findings(report: dict[str, Any], stage: str) -> list[tuple[str, str]]:
    return [(one["kind"], one["path"]) for one in report["findings"] if one["stage"] == stage]


@pytest.mark.parametrize("stage", ["good", "may_call", "server", "maker"])
def test_a_stage_without_a_fault_is_told_to_have_none(report: dict[str, Any], stage: str) -> None:
    assert verdict(report, f"{stage}.txt") == ("identical", "")
    assert findings(report, stage) == []


def test_a_seed_that_no_stage_declares_is_named(report: dict[str, Any]) -> None:
    found, detail = verdict(report, "seed.csv")
    assert found == "differs"
    assert detail.startswith("column value, row 2: 0.")
    assert detail.endswith("; 1 of 2 rows differ")
    assert findings(report, "seed") == [("undeclared file", "params.yaml")]
    assert any(
        "No stage declares these parameters: params.yaml: seed" in line
        for line in report["causes"]["seed"]
    )


def test_the_time_in_an_output_is_named(report: dict[str, Any]) -> None:
    found, detail = verdict(report, "clock.json")
    assert found == "differs"
    assert detail.startswith("made: ")
    assert any(
        "clock.json contains the time at which it was written" in line
        for line in report["causes"]["clock"]
    )


def test_the_order_of_threads_is_named(report: dict[str, Any]) -> None:
    assert verdict(report, "threads.txt")[0] == "differs"
    assert report["found"]["threads"] == ["threads"]


@pytest.mark.parametrize(
    ("stage", "kind", "path"),
    [
        ("edits", "edited", "notes.txt"),
        ("imports", "undeclared import", "src/helper.py"),
        ("reads", "undeclared file", "good.txt"),
        ("changed", "other code", "src/changed.py"),
        ("calls", "undeclared network", ""),
        ("keeper", "not made", "kept.txt"),
        ("metrics", "contradiction", "metrics.json"),
        ("fails", "failed", ""),
        ("after", "not run", ""),
    ],
)
def test_a_break_of_lineage_is_named(
    report: dict[str, Any], stage: str, kind: str, path: str
) -> None:
    assert (kind, path) in findings(report, stage)


def test_an_output_edited_by_hand_and_committed_is_named(report: dict[str, Any]) -> None:
    found, detail = verdict(report, "hand.txt")
    assert found == "differs"
    assert "'embellished' became 'made'" in detail
    assert "edited by hand" in " ".join(report["causes"]["hand"])


def test_what_a_failed_stage_said_is_shown(report: dict[str, Any]) -> None:
    assert report["causes"]["fails"] == ["no such luck"]
    assert verdict(report, "fails.txt") == ("missing", "not written, because its stage failed")
    assert verdict(report, "after.txt") == ("missing", "not written, because its stage was not run")


def test_nothing_else_is_found_and_the_clone_is_as_it_was(
    faulty: Stages, report: dict[str, Any]
) -> None:
    assert report["ok"] is False
    good = {"good", "may_call", "server", "maker"}
    assert {one["stage"] for one in report["findings"]} & good == set()
    assert faulty.repo.git("status", "--porcelain").stdout == ""


def test_people_get_a_line_an_output_and_one_that_sums_up(
    found: CheckReport, capsys: pytest.CaptureFixture[str]
) -> None:
    show(found)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines if line.startswith("good.txt")] == [
        ["good.txt", "good", "identical"]
    ]
    assert "Undeclared network use:" in lines
    assert "calls connects to 127.0.0.1 port 9" in " ".join(lines)
    assert lines[-1].startswith("FAILED: ")
