"""DVC's exceptions, and ours in a form that DVC shows as a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from dvc.exceptions import DvcException, NotDvcRepoError
from dvc.lock import LockError

from dvc_bucket.base.errors import BucketError, MissingObjectError

__all__ = ["DvcException", "LockError", "NotDvcRepoError", "for_dvc", "shown_by_dvc"]


def for_dvc(error: BaseException) -> BaseException:
    """A failure of ours as one that is DVC's, too; others as they are.

    DVC shows its own exceptions as a sentence, and any other as an unexpected error. A missing
    object is also a FileNotFoundError, as DVC expects it of its file systems. It has no cause: DVC
    would show the words of the client behind the sentence.
    """
    if isinstance(error, DvcException) or not isinstance(error, BucketError):
        return error
    kind: Any = type(error)
    translated: BaseException = _also_of_dvc(kind)(str(error))
    return translated


@contextmanager
def shown_by_dvc() -> Iterator[None]:
    """Failures of ours leave this block as `for_dvc` makes them."""
    try:
        yield
    except BucketError as error:
        translated = for_dvc(error)
        if translated is error:
            raise
        raise translated from None


@cache
def _also_of_dvc(kind: type[BucketError]) -> Any:
    missing = (FileNotFoundError,) if issubclass(kind, MissingObjectError) else ()
    return type(kind.__name__, (kind, DvcException, *missing), {"__doc__": kind.__doc__})
