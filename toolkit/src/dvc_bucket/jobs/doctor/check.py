"""What a check is, those of plugins, and how a list is run: each once, after what it requires."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from dvc_bucket.base.errors import BucketError, MissingExtraError
from dvc_bucket.connection import entry_points
from dvc_bucket.connection.masking import masked

if TYPE_CHECKING:
    from dvc_bucket.jobs.doctor.patient import Patient

#: What a check says of itself.
TEXTS = ("name", "fix", "__doc__")

Status = Literal["ok", "warning", "failed", "skipped"]


class Problem(Exception):  # noqa: N818 (a finding, not an error of the program)
    """A problem that a check found.

    Args:
        found: the finding in one clause, without secrets.
        fix: the fix, if it differs from the check's own `fix`.
    """

    status: ClassVar[Status] = "failed"

    def __init__(self, found: str, fix: str = "") -> None:
        super().__init__(found)
        self.found, self.fix = found, fix


class Warn(Problem):
    """A finding that works now and will fail later."""

    status: ClassVar[Status] = "warning"


class Skip(Problem):
    """Why a check was not made."""

    status: ClassVar[Status] = "skipped"


class Check:
    """One check. To add one: a subclass in the module of its family.

    The first line of its docstring says why the check exists. Another distribution adds a check by
    an entry point: docs/plugins.md.

    Attributes:
        name: the subject of the check, in a few words.
        fix: the fix for a failure, in one sentence.
        requires: checks without which this one is meaningless: it is skipped if one of them failed.
    """

    name: ClassVar[str]
    fix: ClassVar[str]
    requires: ClassVar[tuple[type["Check"], ...]] = ()

    @staticmethod
    def check(patient: "Patient") -> str:
        """Return the finding in a few words.

        Raises:
            Problem: something is wrong; `Warn` and `Skip` are the milder kinds.
            BucketError: something is wrong, and the message names the fix itself.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Result:
    """The result of one check.

    Attributes:
        name: of the check.
        status: `ok`, `warning`, `failed` or `skipped`.
        found: what was found, or why it was skipped.
        why: what the check is for.
        fix: what to do; empty where nothing is to be done.
        seconds: how long it took.
    """

    name: str
    status: Status
    found: str
    why: str
    fix: str
    seconds: float


def run(
    checks: Sequence[type[Check]],
    patient: "Patient",
    on_start: Callable[[str], None] = lambda _: None,
) -> Iterator[Result]:
    """Run `checks` in their order; skip one that requires a failed or a skipped one.

    Args:
        checks: with each check after those that it requires.
        patient: the project, and what earlier checks learned of it.
        on_start: called with the name of each check that begins.
    """
    without: set[type[Check]] = set()
    for check in checks:
        lacking = [required.name for required in check.requires if required in without]
        on_start(check.name)
        started = time.monotonic()
        status, text, fix = _examine(check, patient, lacking)
        if status in {"failed", "skipped"}:
            without.add(check)
        why, seconds = str(check.__doc__).partition("\n")[0], time.monotonic() - started
        yield Result(check.name, status, masked(text), why, masked(fix), seconds)


def _examine(check: type[Check], patient: "Patient", lacking: list[str]) -> tuple[Status, str, str]:
    """Status, finding and fix of one check, given what it requires and has not."""
    if lacking:
        return "skipped", f"needs: {', '.join(lacking)}", ""
    try:
        return "ok", str(check.check(patient)), ""  # a check of a plugin may return anything
    except Problem as problem:
        fix = "" if isinstance(problem, Skip) else check.fix
        return problem.status, problem.found, problem.fix or fix
    except MissingExtraError as error:  # nothing is wrong, and nothing was looked at
        return "skipped", str(error).rstrip("."), ""
    except BucketError as error:  # its message says the fault, then what to do
        text, _, fix = str(error).partition(". ")
        return "failed", text.rstrip("."), fix or check.fix
    except Exception as error:  # the edge to a check, also of a plugin: one that breaks ends none
        # The kind only: the text of a stranger's exception could hold a secret.
        return "failed", f"the check itself failed: {type(error).__name__}", check.fix


def of_plugins(ours: Sequence[type[Check]]) -> list[type[Check]]:
    """The checks of installed plugins, each after those that it requires.

    Args:
        ours: the checks of the toolkit, whose names plugins cannot have.
    """
    names = {check.name for check in ours}

    def fit(_: str, value: Any) -> None:
        if not _is_check(value):
            raise entry_points.PluginError("it is not a subclass of Check")
        for text in TEXTS:
            if not (isinstance(stated := getattr(value, text, None), str) and stated):
                raise entry_points.PluginError(f"its `{text}` is not a text")
        if not (isinstance(value.requires, tuple) and all(map(_is_check, value.requires))):
            raise entry_points.PluginError("its `requires` is not a tuple of checks")
        if value.name in names:
            raise entry_points.PluginError(f"another check has the name {value.name}")
        names.add(value.name)

    added = [plugin.value for plugin in entry_points.load(entry_points.CHECKS, fit)]
    begun: set[type[Check]] = set()
    ordered = (check for first in added for check in _after_required(first, begun))
    return [check for check in ordered if check in added]


def _after_required(check: type[Check], begun: set[type[Check]]) -> Iterator[type[Check]]:
    """The checks that a check requires, then itself; each once."""
    if check not in begun:
        begun.add(check)
        for required in check.requires:
            yield from _after_required(required, begun)
        yield check


def _is_check(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Check)
