"""The sentence for a failed command."""

import sys
import traceback

from dvc_bucket.base import failures, toolkit
from dvc_bucket.base.errors import BucketError


def sentence(error: Exception) -> str:
    """The message for a failure.

    Args:
        error: the exception that ended the command.
    """
    if isinstance(error, BucketError):
        return str(error)
    if said := failures.of_machine(error):
        return said
    # An import of DVC takes 0.3 s; an error of DVC's exists only where that is done already.
    if any(kind.__module__.partition(".")[0] == "dvc" for kind in type(error).__mro__):
        from dvc_bucket.dvc.patched.errors import DvcException

        if isinstance(error, DvcException):
            return f"DVC says: {error}."
    return _fault_of_ours(error)


def _fault_of_ours(error: Exception) -> str:
    """The message for an unforeseen exception: its type, its place and how to report it."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{last.filename.rpartition('/')[2]}, line {last.lineno}"
    words = " ".join(sys.argv[1:2])
    return (
        f"a fault of {toolkit.DISTRIBUTION} {toolkit.version()} itself: {type(error).__name__}: "
        f"{error} ({place}). Please report it with the traceback, which "
        f"`bucket --verbose {words} ...` shows, and with the output of `bucket doctor --json`."
    )
