"""Checks of other distributions."""

from collections.abc import Iterator, Sequence
from typing import Any

from dvc_bucket.connection import entry_points
from dvc_bucket.jobs.doctor.check import Check

#: What a check says of itself.
TEXTS = ("name", "fix", "__doc__")


def checks(ours: Sequence[type[Check]]) -> list[type[Check]]:
    """The checks of installed plugins, each after those that it requires.

    Args:
        ours: the checks of the toolkit, whose names plugins cannot have.
    """
    names = {check.name for check in ours}

    def fit(_: str, value: Any) -> None:
        if not _is_check(value):
            raise entry_points.PluginError("it is no subclass of Check")
        for text in TEXTS:
            if not (isinstance(found := getattr(value, text, None), str) and found):
                raise entry_points.PluginError(f"its `{text}` is no text")
        if not (isinstance(value.requires, tuple) and all(map(_is_check, value.requires))):
            raise entry_points.PluginError("its `requires` is no tuple of checks")
        if value.name in names:
            raise entry_points.PluginError(f"there is a check named {value.name} already")
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
