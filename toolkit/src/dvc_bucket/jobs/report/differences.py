"""What became of each name between two mappings."""

from collections.abc import Mapping
from typing import Any, Literal

Outcome = Literal["same", "changed", "new", "gone"]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Outcome]:
    """The outcome of each name: those of `before` first, in its order."""
    outcomes: dict[str, Outcome] = {}
    for name in dict.fromkeys([*before, *after]):
        if name not in before or name not in after:
            outcomes[name] = "gone" if name in before else "new"
        else:
            outcomes[name] = "same" if before[name] == after[name] else "changed"
    return outcomes


def which(outcomes: Mapping[str, str], outcome: Outcome) -> list[str]:
    """The names with an outcome."""
    return [name for name, actual in outcomes.items() if actual == outcome]
