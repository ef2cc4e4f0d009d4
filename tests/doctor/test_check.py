"""A check is one small class, and adding one is a few lines."""

import pytest

from bucket.doctor import CHECKS
from bucket.doctor.check import Check, Problem, run
from bucket.doctor.patient import Patient
from tests.doctor.case import Case


@pytest.mark.parametrize("check", CHECKS, ids=[check.name for check in CHECKS])
def test_a_check_says_what_it_is_for(check: type[Check]) -> None:
    assert check.name
    assert check.why.endswith(".")
    assert check.fix
    assert check.__doc__
    earlier = CHECKS[: CHECKS.index(check)]
    assert set(check.needs) <= set(earlier)


def test_no_two_checks_have_one_name() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)


class Tea(Check):
    """There is tea."""

    name = "tea"
    why = "Without it nothing works."
    fix = "Make some."

    @staticmethod
    def check(patient: Patient) -> str:
        """Look."""
        raise Problem(f"none in {patient.project.root.name}")


class Milk(Check):
    """There is milk in the tea."""

    name, why, fix, needs = "milk", "It is tea.", "Buy some.", (Tea,)


class Broken(Check):
    """A check with a fault of its own."""

    name, why, fix = "broken", "Programs have faults.", "Report it."

    @staticmethod
    def check(patient: Patient) -> str:
        """Stumble over a secret."""
        raise KeyError(patient.project.root.name)


def test_adding_a_check_is_a_few_lines(case: Case) -> None:
    tea, milk, broken = run((Tea, Milk, Broken), Patient(case.project))
    assert (tea.status, tea.found, tea.fix) == ("failed", f"none in {case.prefix}", "Make some.")
    assert (milk.status, milk.found) == ("skipped", "needs: tea")
    # The kind only: the text of a stranger's exception could have a secret.
    assert (broken.status, broken.found) == ("failed", "the check itself broke: KeyError")
