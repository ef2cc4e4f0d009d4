"""How `dvc gc` deletes: from the remote first, and never what is to be kept besides.

DVC deletes from this clone's cache first. If the remote then refuses, the cache is gone in vain.
"""

import argparse
import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.dvc.patched.differences import RANGE, different, sentence
from dvc_bucket.dvc.patched.touch_points import COLLECTING_GARBAGE, PARSING, READING

if TYPE_CHECKING:
    from dvc.repo import Repo

#: The options of DVC's `gc` that select commits, and how it deletes.
SELECTING = (
    "all_branches all_tags all_commits all_experiments commit_date workspace rev num cloud "
    "not_in_remote repos remote jobs force skip_failed"
)


def require(*, guard: bool) -> None:
    """Make sure that arguments with the word `gc` can be understood; or that `gc` can be guarded.

    Raises:
        ProjectError: this DVC differs from the tested one there.
    """
    if places := different(READING | COLLECTING_GARBAGE if guard else PARSING):
        raise ProjectError(
            f"{sentence(places)} `gc` was not run and deleted nothing: the toolkit cannot prevent "
            f"it from deleting data that commits need. Install `{RANGE}`."
        )


def repo_of(asked: argparse.Namespace) -> "Repo":
    """The project that DVC's arguments mean; it waits for another command.

    Raises:
        DvcException: DVC cannot open it.
    """
    from dvc.repo import Repo

    return Repo(asked.cd, _wait_for_lock=True)


def kept(repo: "Repo", asked: argparse.Namespace) -> dict[Any, set[str]]:
    """The hashes that DVC's `gc` would keep, by cache and by remote that it would delete from.

    Raises:
        DvcException: it cannot tell.
    """
    hashes: dict[Any, set[str]] = {}

    def record(odb: Any, used: Any, **_: Any) -> int:
        hashes[odb] = {info.value for info in used if info.name == odb.hash_name}
        return 0

    channel = logging.getLogger("dvc.repo.gc")
    channel.disabled = True
    try:
        with _replaced(record):
            repo.gc(dry=True, **{name: getattr(asked, name) for name in SELECTING.split()})
    finally:
        channel.disabled = False
    return hashes


@contextmanager
def remote_first(remotes: Collection[Any], kept: Collection[Any]) -> Iterator[None]:
    """In this block `Repo.gc` deletes from the remotes before it deletes from the cache.

    Args:
        remotes: the object databases of the remotes that it will delete from.
        kept: hashes that it keeps wherever it deletes, beside those that its options name.
    """
    from dvc_data.hashfile import gc as module
    from dvc_data.hashfile.db import get_index

    delete: Callable[..., int] = module.gc
    waiting, removed = list(remotes), dict[Any, int]()

    def in_order(odb: Any, used: Any, **options: Any) -> int:
        wanted = {*used, *kept}
        while waiting:  # `used` of the first call, for the cache, is what any remote needs
            remote = waiting.pop()
            if not options.get("dry"):
                get_index(remote).clear()  # it says what is on the remote, and a push believes it
                removed[remote] = delete(remote, wanted, **options)
        return delete(odb, wanted, **options) + removed.pop(odb, 0)

    with _replaced(in_order):
        yield


@contextmanager
def _replaced(function: Callable[..., int]) -> Iterator[None]:
    """DVC calls this function where it would delete from a cache or a remote."""
    from dvc_data.hashfile import gc as module

    original = module.gc
    module.gc = function
    try:
        yield
    finally:
        module.gc = original
