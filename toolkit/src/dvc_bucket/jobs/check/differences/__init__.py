"""How two contents of a file differ, in the words of its format: a table, a document, bytes."""

from functools import cache
from pathlib import Path
from typing import Any, Protocol

from dvc_bucket.connection import entry_points
from dvc_bucket.jobs.check.differences import documents, raw_bytes, tables, text_tables
from dvc_bucket.jobs.check.differences.tolerance import EXACT, Limits, Tolerance
from dvc_bucket.jobs.check.findings import Difference

__all__ = ["Limits", "Tolerance", "compare"]

#: Modules that compare files with certain ends of names.
KINDS = (tables, text_tables, documents)


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


def compare(recorded: Path, found: Path, limits: Limits = EXACT) -> Difference:
    """How `found` differs from `recorded`, whose bytes are others.

    Args:
        recorded: a file with the name that the content has, as its end says its format.
        found: the same.
        limits: how far numbers may be apart.
    """
    difference = None
    if plugin := _plugin(recorded.suffix):
        try:
            difference = _described(plugin.value(recorded, found, limits))
        except Exception as error:  # the edge to a plugin
            outcome = f"cannot compare {recorded.name}, so its bytes are compared"
            entry_points.warn(plugin.title, outcome, error)
    for kind in KINDS:
        if recorded.suffix in kind.ENDS and found.suffix in kind.ENDS:
            difference = kind.compare(recorded, found, limits)
    return difference or raw_bytes.compare(recorded, found)


def _described(difference: Any) -> Difference | None:
    if difference is None or isinstance(difference, Difference):
        return difference
    raise entry_points.PluginError(f"it returned {type(difference).__name__}")


@cache
def _plugin(ending: str) -> entry_points.Plugin | None:
    """The comparer that an installed plugin has for an ending; a broken one is reported once."""
    taken = {end for kind in KINDS for end in kind.ENDS}
    return next(entry_points.load(entry_points.COMPARERS, _check, name=ending, taken=taken), None)


def _check(_: str, value: Any) -> None:
    if not callable(value):
        raise entry_points.PluginError(f"{type(value).__name__} is not a function")
