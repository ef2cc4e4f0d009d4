"""What DVC's `status` has reported in this process. Its exit status does not show it."""

from collections.abc import Callable
from typing import Any

from dvc_bucket.dvc.patched.replacement import replacement

#: Differences by stage, from the last `status`.
differences: dict[str, Any] = {}


@replacement
def kept(status: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """DVC's `Repo.status` that keeps what it returns."""
    global differences
    differences = status(*arguments, **named)
    return differences
