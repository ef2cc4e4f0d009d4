"""How `dvc gc --cloud` deletes: from the remote first, and never what is to be kept besides.

DVC deletes from this clone's cache first. If the remote then refuses, the cache is gone in vain.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from dvc_data.hashfile import gc as module


@contextmanager
def replaced(function: Callable[..., int]) -> Iterator[None]:
    """DVC calls this function where it would delete from a cache or a remote."""
    original = module.gc
    module.gc = function
    try:
        yield
    finally:
        module.gc = original


@contextmanager
def remote_first(remotes: Collection[Any], kept: Collection[Any]) -> Iterator[None]:
    """In this block `Repo.gc` deletes from the remotes before it deletes from the cache.

    Args:
        remotes: the object databases of the remotes that it will delete from.
        kept: hashes that it keeps wherever it deletes, beside those that its options name.
    """
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

    with replaced(in_order):
        yield
