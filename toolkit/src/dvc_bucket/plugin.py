"""The public names for a distribution that extends the toolkit: docs/plugins.md.

A doctor's check, a comparer of files and a command are entry points of the groups `CHECKS`,
`COMPARERS` and `COMMANDS`.
"""

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.errors import BucketError
from dvc_bucket.base.lazy import lazy_names
from dvc_bucket.connection import entry_points
from dvc_bucket.connection.entry_points import CHECKS, COMMANDS, COMPARERS

if TYPE_CHECKING:
    import typer

    from dvc_bucket.jobs.check.differences import Comparer
    from dvc_bucket.jobs.check.differences.tolerance import Limit, Limits
    from dvc_bucket.jobs.check.findings import Difference
    from dvc_bucket.jobs.doctor.check import Check, Problem, Skip, Warn
    from dvc_bucket.jobs.doctor.patient import Patient
else:
    # A comparer needs nothing of the doctor, and the reverse.
    __getattr__ = lazy_names(
        __name__,
        {
            "Check": "dvc_bucket.jobs.doctor.check",
            "Comparer": "dvc_bucket.jobs.check.differences",
            "Difference": "dvc_bucket.jobs.check.findings",
            "Limit": "dvc_bucket.jobs.check.differences.tolerance",
            "Limits": "dvc_bucket.jobs.check.differences.tolerance",
            "Patient": "dvc_bucket.jobs.doctor.patient",
            "Problem": "dvc_bucket.jobs.doctor.check",
            "Skip": "dvc_bucket.jobs.doctor.check",
            "Warn": "dvc_bucket.jobs.doctor.check",
        },
    )

__all__ = [
    "CHECKS",
    "COMMANDS",
    "COMPARERS",
    "BucketError",
    "Check",
    "Comparer",
    "Difference",
    "Limit",
    "Limits",
    "Patient",
    "Problem",
    "Skip",
    "Warn",
    "commands",
]


def commands(
    name: str | None = None, taken: Collection[str] = ()
) -> "Iterator[tuple[str, Callable[..., Any] | typer.Typer]]":
    """Yield the commands of installed plugins, each with its name.

    Args:
        name: loads the command of this name only; None for all.
        taken: names of commands that plugins cannot have.
    """
    for plugin in entry_points.load(COMMANDS, _check_command, name=name, taken=taken):
        yield plugin.name, plugin.value


def _check_command(name: str, value: Any) -> None:
    import typer

    if not name.replace("-", "").isalnum() or name.startswith("-"):
        raise entry_points.PluginError("a command's name has letters, digits and hyphens")
    if not (callable(value) or isinstance(value, typer.Typer)):
        raise entry_points.PluginError(f"{type(value).__name__} is no function and no typer.Typer")
