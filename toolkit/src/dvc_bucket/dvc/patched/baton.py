"""The lock of a clone that threads of one process pass on.

DVC unlocks the clone where a command runs, and locks it again. In the place of its lock, this one
lets another thread work there; at any time one of them does.
"""

import threading
from typing import Any

from dvc_bucket.dvc.patched import waiting


class Baton:
    """In the place of the lock of a repository, which this thread has to hold.

    Args:
        repo: whose lock it is. Nobody holds it then.
    """

    def __init__(self, repo: Any) -> None:
        self._repo, self._lock = repo, repo.lock
        self._mutex, self._owner = threading.Lock(), 0
        self._lock.unlock()
        repo.lock = self
        waiting.exchange(self._lock, self)

    def put_back(self) -> None:
        """Give the repository its own lock again; this thread holds it."""
        waiting.exchange(self, self._lock)
        self._repo.lock = self._lock
        self._lock.lock()

    @property
    def is_locked(self) -> bool:
        """Whether this thread holds it."""
        return self._owner == threading.get_ident()

    def lock(self) -> None:
        """Wait for the other threads, then for other processes."""
        self._mutex.acquire()
        try:
            self._lock.lock()
        except BaseException:  # DVC's own errors, and Ctrl-C: the others go on
            self._mutex.release()
            raise
        self._owner = threading.get_ident()

    def unlock(self) -> None:
        """Let another thread, or another process, have it."""
        self._owner = 0
        self._lock.unlock()
        self._mutex.release()

    def __enter__(self) -> None:
        self.lock()

    def __exit__(self, *_: object) -> None:
        self.unlock()
