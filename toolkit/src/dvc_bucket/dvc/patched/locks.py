"""The locks that keep other DVC commands from paths of a clone."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.dvc.patched.differences import require
from dvc_bucket.dvc.patched.touch_points import LOCKING

if TYPE_CHECKING:
    from dvc.repo import Repo


class BusyError(ProjectError):
    """Another DVC command works on the same paths."""


@contextmanager
def locked(repo: "Repo", command: str, paths: Iterable[str]) -> Iterator[None]:
    """Nobody else works with DVC on these paths, nor changes the clone, in this block.

    Args:
        repo: the clone.
        command: what another one is told that has to wait.
        paths: that are written.

    Raises:
        BusyError: another command has them; its message is DVC's first line.
        DvcDiffersError: this DVC has other locks.
    """
    require(LOCKING)
    from dvc.lock import LockError
    from dvc.rwlock import rwlock

    hardlink = repo.config["core"].get("hardlink_lock", False)
    try:
        with repo.lock, rwlock(repo.tmp_dir, repo.fs, command, [], [*paths], hardlink):
            yield
    except LockError as error:
        raise BusyError(str(error).partition("\n")[0]) from None
