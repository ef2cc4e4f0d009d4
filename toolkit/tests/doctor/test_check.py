"""A check is one small class, and adding one is a few lines."""

from pathlib import Path

import pytest

from dvc_bucket.jobs.doctor import CHECKS
from dvc_bucket.jobs.doctor.check import Check, Problem, Warn, run
from dvc_bucket.jobs.doctor.patient import Patient
from dvc_bucket.jobs.doctor.repository import EnvNeverCommitted
from tests.bucket.git_tools import make_repo
from tests.doctor.case import Case


@pytest.mark.parametrize("check", CHECKS, ids=[check.name for check in CHECKS])
def test_a_check_says_what_it_is_for(check: type[Check]) -> None:
    assert check.name
    assert str(check.__doc__).partition("\n")[0].endswith(".")
    assert check.fix
    earlier = CHECKS[: CHECKS.index(check)]
    assert set(check.requires) <= set(earlier)


def test_no_two_checks_have_one_name() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)


class Tea(Check):
    """Without it nothing works."""

    name = "tea"
    fix = "Make some."

    @staticmethod
    def check(patient: Patient) -> str:
        """Look."""
        raise Problem(f"none in {patient.project.root.name}")


class Milk(Check):
    """It is tea."""

    name, fix, requires = "milk", "Buy some.", (Tea,)


class Broken(Check):
    """Programs have faults."""

    name, fix = "broken", "Report it."

    @staticmethod
    def check(patient: Patient) -> str:
        """Stumble over a secret."""
        raise KeyError(patient.project.root.name)


def test_adding_a_check_is_a_few_lines(case: Case) -> None:
    tea, milk, broken = run((Tea, Milk, Broken), Patient(case.project))
    assert (tea.status, tea.found, tea.fix) == ("failed", f"none in {case.prefix}", "Make some.")
    assert tea.why == "Without it nothing works."
    assert (milk.status, milk.found) == ("skipped", "needs: tea")
    # The kind only: the text of a stranger's exception could have a secret.
    assert (broken.status, broken.found) == ("failed", "the check itself failed: KeyError")


def test_a_history_that_git_cannot_read_is_not_called_clean(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "clone")
    repo.git("add", ".")
    repo.commit()
    assert EnvNeverCommitted.check(Patient(repo.project)) == "neither tracked nor in any commit"
    tree = repo.git("rev-parse", "HEAD^{tree}").stdout.strip()
    (repo.root / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(Warn, match=f"git cannot read every commit: .*{tree}"):
        EnvNeverCommitted.check(Patient(repo.project))
