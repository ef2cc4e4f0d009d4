"""The public names for a distribution that extends the toolkit: docs/plugins.md.

A doctor's check, a comparer of files and a command are entry points of the groups `CHECKS`,
`COMPARERS` and `COMMANDS`.
"""

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any

from bucket import entry_points
from bucket.entry_points import CHECKS, COMMANDS, COMPARERS
from bucket.errors import BucketError
from bucket.lazy import lazy_names

if TYPE_CHECKING:
    import typer

    from bucket.check.contents.comparer import Comparer
    from bucket.check.contents.tolerance import Limit, Limits
    from bucket.check.findings import Difference
    from bucket.doctor.check import Check, Problem, Skip, Warn
    from bucket.doctor.patient import Patient
else:
    # A comparer needs nothing of the doctor, and the reverse.
    __getattr__ = lazy_names(
        __name__,
        {
            "Check": "bucket.doctor.check",
            "Comparer": "bucket.check.contents.comparer",
            "Difference": "bucket.check.findings",
            "Limit": "bucket.check.contents.tolerance",
            "Limits": "bucket.check.contents.tolerance",
            "Patient": "bucket.doctor.patient",
            "Problem": "bucket.doctor.check",
            "Skip": "bucket.doctor.check",
            "Warn": "bucket.doctor.check",
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
