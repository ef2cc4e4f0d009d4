"""Each broken set-up, made for real: the doctor names it, and nothing else."""

import pytest

from dvc_bucket.jobs.doctor import CHECKS, examine, report
from dvc_bucket.jobs.doctor.check import Result
from tests.doctor.case import Case, SetUp
from tests.doctor.conftest import live_as
from tests.doctor.set_ups import SET_UPS

#: Reasons of a check itself not to be made.
OWN_REASONS = {
    "the bucket has no object to read",
    "no .env",
    "no keys in .env",
    "for root only",
    "DVC cannot read the project",
    "the store asked for fewer requests: see throttling",
}


@pytest.mark.parametrize("set_up", SET_UPS, ids=[set_up.name for set_up in SET_UPS])
def test_the_doctor_names_it(
    set_up: SetUp,
    case: Case,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up.make(case)
    live_as(case, monkeypatch)
    results = list(examine(case.project))
    report.show(results)
    output = capsys.readouterr().out + report.as_json(results)
    print(output)
    by_status = {status: _names(results, status) for status in ("failed", "warning")}
    assert by_status == {"failed": set(set_up.fails), "warning": set(set_up.warns)}
    wrong = [result for result in results if result.status in by_status]
    first = min(wrong, key=lambda result: result.status)  # a failure before a warning
    assert set_up.says in first.found
    assert all(result.fix for result in results if result.status in by_status)
    assert "the check itself failed" not in output
    assert "Traceback" not in output
    assert not [secret for secret in case.secrets if secret in output]
    _assert_skipped_for_a_reason(results)


def _names(results: list[Result], status: str) -> set[str]:
    return {result.name for result in results if result.status == status}


def _assert_skipped_for_a_reason(results: list[Result]) -> None:
    """Each for want of a check that failed, or was skipped for such a reason."""
    for result in results:
        if result.status != "skipped" or result.found in OWN_REASONS:
            continue
        needed, _, names = result.found.partition(": ")
        assert needed == "needs"
        lacking = _names(results, "failed") | _names(results, "skipped")
        assert set(names.split(", ")) <= lacking


def test_every_check_fails_or_warns_in_some_set_up() -> None:
    found = {name for set_up in SET_UPS for name in (*set_up.fails, *set_up.warns)}
    # They need a network file system, root and a second user, another locale, other limits and
    # disks that are read-only or full. tests/safety has the second and third, tests/machines those
    # after.
    expected = {"locks", "links of root", "owner of the port", "names of files", "open files"}
    expected |= {"clone written", "disk space"}
    assert {check.name for check in CHECKS} - found == expected


def test_there_are_many_and_no_two_have_one_name() -> None:
    assert len({set_up.name for set_up in SET_UPS}) == len(SET_UPS) >= 60
