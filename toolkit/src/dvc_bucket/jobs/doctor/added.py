"""Checks of other distributions."""

from collections.abc import Sequence
from typing import Any

from dvc_bucket.connection import entry_points
from dvc_bucket.jobs.doctor.check import Check

#: What a check says of itself.
TEXTS = ("name", "why", "fix")


def checks(ours: Sequence[type[Check]]) -> tuple[type[Check], ...]:
    """The checks of installed plugins, each after those that it needs, without the toolkit's own.

    Args:
        ours: the checks of the toolkit, whose names plugins cannot have.
    """
    names = {check.name for check in ours}

    def fit(_: str, value: Any) -> None:
        if not _is_check(value):
            raise entry_points.PluginError("it is no subclass of Check")
        for text in TEXTS:
            if not (isinstance(said := getattr(value, text, None), str) and said):
                raise entry_points.PluginError(f"its `{text}` is no text")
        needs = value.needs
        if not (isinstance(needs, tuple) and all(_is_check(one) for one in needs)):
            raise entry_points.PluginError("its `needs` is no tuple of checks")
        if value.name in names:
            raise entry_points.PluginError(f"there is a check named {value.name} already")
        names.add(value.name)

    added = [plugin.value for plugin in entry_points.load(entry_points.CHECKS, fit)]
    return tuple(_in_order(added))


def _in_order(added: Sequence[type[Check]]) -> list[type[Check]]:
    """Those that others need first."""
    ordered: list[type[Check]] = []
    begun: set[type[Check]] = set()

    def place(check: type[Check]) -> None:
        if check in begun:
            return
        begun.add(check)
        for needed in check.needs:
            if needed in added:
                place(needed)
        ordered.append(check)

    for check in added:
        place(check)
    return ordered


def _is_check(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Check)
