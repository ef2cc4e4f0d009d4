"""A function in the place of one of DVC's, whose first argument is DVC's own."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

Returned = TypeVar("Returned")


def replacement(
    ours: Callable[..., Returned],
) -> Callable[[Any], Callable[..., Returned]]:
    """Make of a function what `install` calls with DVC's own, and puts into its place.

    That has the signature of DVC's: places are compared after others are replaced.
    """

    @functools.wraps(ours)
    def instead_of(original: Any) -> Callable[..., Returned]:
        @functools.wraps(original)
        def called(*arguments: Any, **named: Any) -> Returned:
            return ours(original, *arguments, **named)

        called.__module__ = ours.__module__
        return called

    return instead_of
