"""What DVC's `status` found, which its exit status does not tell."""

import functools
from collections.abc import Callable
from typing import Any

#: Differences by stage, as the last `status` of this process returned them.
differences: dict[str, Any] = {}


def noted(status: Callable[..., Any]) -> Callable[..., Any]:
    """DVC's `Repo.status` that notes what it returns."""

    @functools.wraps(status)
    def note(*arguments: Any, **named: Any) -> Any:
        global differences
        differences = status(*arguments, **named)
        return differences

    return note
