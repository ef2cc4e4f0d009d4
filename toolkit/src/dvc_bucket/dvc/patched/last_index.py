"""The index of a project that a command of DVC has read, for who looks back on the command."""

import functools
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dvc.repo import Repo

#: The last whole index of a work tree that DVC read in this process, by the project's root.
_last: dict[str, Any] = {}


def kept(from_repo: Callable[..., Any]) -> Any:
    """DVC's `Index.from_repo`, which remembers the index of a work tree."""

    @functools.wraps(from_repo)
    def read(repo: "Repo", onerror: Callable[..., Any] | None = None) -> Any:
        index = from_repo(repo, onerror)
        # With such a handler, what cannot be read is left out; at a commit, there is no work tree.
        if not (onerror or repo.stage_collection_error_handler) and repo.fs.protocol == "local":
            _last[os.path.realpath(repo.root_dir)] = index
        return index

    return staticmethod(read)


def give(repo: "Repo") -> None:
    """Have an open project use the index that DVC read last; if there is none, it reads its own.

    It is what that command knew. Its stages and outputs tell their paths and hashes, and do not
    open files any more: they belong to a project that is closed.
    """
    if index := _last.get(os.path.realpath(repo.root_dir)):
        vars(repo)["index"] = index
