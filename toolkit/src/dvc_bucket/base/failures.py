"""Failures that are no fault of ours and that a person can mend, in words: no traceback."""

import sqlite3

#: What files of a project or answers of a store can cause that somebody made for that.
TOO_MUCH = (OverflowError, RecursionError, MemoryError)


def of_machine(error: BaseException) -> str:
    """What to tell a person about a failure of the machine or of a file; empty for any other.

    Args:
        error: that ended a command.
    """
    if isinstance(error, OSError) and error.errno:
        where = f"{error.filename}: " if error.filename else ""
        return (
            f"{where}{error.strerror}. No file was left half written. Fix this and run the "
            "command again."
        )
    if isinstance(error, TOO_MUCH):
        return (
            "A file of the project or an answer of the store is too large, nests too deep, or "
            f"contains a number that is too large ({type(error).__name__}). Check `dvc.yaml`, "
            "`dvc.lock` and the `.dvc` files, especially if you do not know who wrote them."
        )
    if isinstance(error, sqlite3.OperationalError):
        return (
            f"DVC's database of file hashes, .dvc/tmp/site, fails: {error}. Is the disk full? Fix "
            "this and run the command again."
        )
    if _is_no_hash(error):
        return (
            "A .dvc file or dvc.lock has a number or a truth value in the place of a hash. `bucket "
            "verify` names the file. Restore it: `git log -p FILE` shows the hash that it had."
        )
    return ""


def _is_no_hash(error: BaseException) -> bool:
    """Whether DVC took a number for a hash: its schema lets one of three digits or more pass."""
    is_attribute = isinstance(error, AttributeError) and error.name == "endswith"
    return is_attribute and isinstance(getattr(error, "obj", None), int)
