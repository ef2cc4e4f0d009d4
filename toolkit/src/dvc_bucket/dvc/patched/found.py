"""The differences that DVC's `status` found. Its exit status does not show them."""

import functools
from collections.abc import Callable
from typing import Any

#: Differences by stage, from the last `status` of this process.
differences: dict[str, Any] = {}


def noted(status: Callable[..., Any]) -> Callable[..., Any]:
    """DVC's `Repo.status` that notes what it returns."""

    @functools.wraps(status)
    def note(*arguments: Any, **named: Any) -> Any:
        global differences
        differences = status(*arguments, **named)
        return differences

    return note
