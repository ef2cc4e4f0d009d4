"""Comparers of other distributions, by the ending of the files that they can read."""

from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from dvc_bucket.connection import entry_points
from dvc_bucket.jobs.check.differences.tolerance import Limits
from dvc_bucket.jobs.check.findings import Difference


class Comparer(Protocol):
    """Describes how two contents of a file differ, in the terms of its format."""

    def __call__(self, recorded: Path, found: Path, limits: Limits) -> Difference | None:
        """Compare a file with the recorded content.

        Args:
            recorded: a file with the content that `dvc.lock` records; read it only.
            found: a file with the content that the run made, other bytes; read it only.
            limits: how far numbers may differ.

        Returns:
            How they differ; None if one of them cannot be read in this format. Bytes are then
            compared.
        """


def compare(
    recorded: Path, found: Path, limits: Limits, taken: Collection[str]
) -> Difference | None:
    """How the files differ, by the comparer of an installed plugin; None if none can tell.

    Args:
        recorded: a file; its ending selects the comparer.
        found: a file with the same ending.
        limits: how far numbers may differ.
        taken: endings that the toolkit compares itself.
    """
    plugin = _of(recorded.suffix, frozenset(taken))
    if plugin is None:
        return None
    try:
        return _described(plugin.value(recorded, found, limits))
    except Exception as error:
        outcome = f"cannot compare {recorded.name}, so its bytes are compared"
        entry_points.warn(plugin.title, outcome, error)
        return None


def _described(difference: Any) -> Difference | None:
    if difference is None or isinstance(difference, Difference):
        return difference
    raise entry_points.PluginError(f"it returned {type(difference).__name__}")


@cache
def _of(ending: str, taken: frozenset[str]) -> entry_points.Plugin | None:
    """The comparer of an ending; a broken one is reported once."""
    return next(entry_points.load(entry_points.COMPARERS, _check, name=ending, taken=taken), None)


def _check(_: str, value: Any) -> None:
    if not callable(value):
        raise entry_points.PluginError(f"{type(value).__name__} is no function")
