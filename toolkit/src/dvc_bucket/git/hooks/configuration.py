"""Entries in git's configuration of a clone, beside those that a person has made."""

import os
import re
from contextlib import suppress
from pathlib import Path

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.git.contents import git


def put(root: Path, key: str, value: str) -> None:
    """Make `value` the one that counts; another value of the key stays in the file before it.

    Raises:
        ProjectError: git cannot write its configuration.
    """
    if get(root, key) != value:
        drop(root, key, value)
        git(root, "config", "--local", "--add", key, value)


def get(root: Path, key: str) -> str | None:
    """The value of a key that counts in this clone; None if it has none."""
    try:
        return os.fsdecode(git(root, "config", "--local", "--get", key)).removesuffix("\n")
    except ProjectError:
        return None


def drop(root: Path, key: str, value: str) -> None:
    """Remove what `put` has added, and nothing else."""
    with suppress(ProjectError):  # it is not there
        git(root, "config", "--local", "--unset-all", key, f"^{re.escape(value)}$")
