"""The public names for a distribution that extends the toolkit: docs/plugins.md.

A check of the doctor, a comparer of files and a command are entry points of the groups `CHECKS`,
`COMPARERS` and `COMMANDS`.
"""

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.errors import BucketError as BucketError
from dvc_bucket.base.lazy import lazy_names
from dvc_bucket.connection import entry_points
from dvc_bucket.connection.entry_points import CHECKS as CHECKS
from dvc_bucket.connection.entry_points import COMMANDS as COMMANDS
from dvc_bucket.connection.entry_points import COMPARERS as COMPARERS

if TYPE_CHECKING:
    import typer

    from dvc_bucket.jobs.check.differences import Comparer as Comparer
    from dvc_bucket.jobs.check.differences.tolerance import Limit as Limit
    from dvc_bucket.jobs.check.differences.tolerance import Limits as Limits
    from dvc_bucket.jobs.check.findings import Difference as Difference
    from dvc_bucket.jobs.doctor.check import Check as Check
    from dvc_bucket.jobs.doctor.check import Problem as Problem
    from dvc_bucket.jobs.doctor.check import Skip as Skip
    from dvc_bucket.jobs.doctor.check import Warn as Warn
    from dvc_bucket.jobs.doctor.patient import Patient as Patient
else:
    # A comparer needs nothing of the doctor, and the reverse.
    __getattr__ = lazy_names(__name__)


def commands(
    name: str | None = None, taken: Collection[str] = ()
) -> "Iterator[tuple[str, Callable[..., Any] | typer.Typer]]":
    """Yield the commands of installed plugins, each with its name.

    Args:
        name: of the only command to load; None for all.
        taken: names of commands that plugins cannot have.
    """
    for plugin in entry_points.load(COMMANDS, _check_command, name=name, taken=taken):
        yield plugin.name, plugin.value


def _check_command(name: str, value: Any) -> None:
    import typer

    if not name.replace("-", "").isalnum() or name.startswith("-"):
        raise entry_points.PluginError("a command's name has letters, digits and hyphens")
    if not (callable(value) or isinstance(value, typer.Typer)):
        raise entry_points.PluginError(
            f"{type(value).__name__} is neither a function nor a typer.Typer"
        )
