"""A log for bug reports: each request, and the traceback of a failure, without credentials.

`BUCKET_LOG=debug` appends it to `.dvc/tmp/bucket.log`, also for notebooks and scripts. `bucket
--verbose WORD` writes it to standard error. Nothing is logged unless one of them asks for it.
"""

import logging
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from dvc_bucket.base.errors import SettingsError
from dvc_bucket.base.files import PRIVATE
from dvc_bucket.base.paths import Project
from dvc_bucket.base.terminal import visible
from dvc_bucket.connection import masking

#: The variable, and its values: a file in the project, or standard error.
VARIABLE = "BUCKET_LOG"
FILE, STDERR = "debug", "stderr"

#: A link in the place of the file could lead to any file of this person.
APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


def begin(words: Sequence[str]) -> None:
    """Log what a command is, and what it runs on.

    Raises:
        SettingsError: `BUCKET_LOG` has a value that means nothing.
    """
    if (value := os.environ.get(VARIABLE, "")) not in {"", FILE, STDERR}:
        raise SettingsError(f"{VARIABLE} is {value!r}. Set it to {FILE}, or unset it.")
    if log := _log():
        import platform

        from dvc_bucket.base import toolkit

        about = [*toolkit.versions().splitlines(), platform.platform()]
        log.debug("%s (%s)", " ".join(words), ", ".join(about))


def follow(name: str) -> None:
    """Log what another package logs, with its tracebacks.

    Args:
        name: of its logger.
    """
    if log := _log():
        logging.getLogger(name).addHandler(log.handlers[0])


def request_done(
    method: str, key: str, status: int | str, seconds: float, attempt: int = 1
) -> None:
    """Log a request to the store that has ended.

    Args:
        method: of HTTP, or the client's word for it.
        key: of the object, or the prefix of a listing.
        status: of the answer, or the reason why there is none.
        seconds: from the request to its answer.
        attempt: 1 for the first, more for one that was tried again.
    """
    if log := _log():
        log.debug("%s %s: %s after %.3f s, attempt %d", method, key, status, seconds, attempt)


def failed(error: BaseException) -> None:
    """Log the traceback of an exception that ended something."""
    if log := _log():
        log.debug("failed", exc_info=error)


@cache
def _log() -> logging.Logger | None:
    """The log of this process; None if nobody asked for one."""
    if (wanted := os.environ.get(VARIABLE)) not in {FILE, STDERR}:
        return None
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    if wanted == FILE and (project := Project.around()):
        try:
            handler = logging.StreamHandler(os.fdopen(_opened(project.log), "a", encoding="utf-8"))
        except OSError as error:
            print(f"bucket: cannot write the log {project.log}: {error.strerror}", file=sys.stderr)
    handler.setFormatter(_Formatter())
    log = logging.getLogger("dvc_bucket")
    log.setLevel(logging.DEBUG)
    log.propagate = False  # DVC has set up the root logger for its own messages
    log.addHandler(handler)
    return log


def _opened(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, APPEND, PRIVATE)


class _Formatter(logging.Formatter):
    """Time in UTC, process, message and traceback, with stars in the place of each credential."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(process)d %(message)s")
        self._secrets = masking.secrets()

    def formatTime(self, record: logging.LogRecord, _: str | None = None) -> str:  # noqa: N802
        """When it was, to the millisecond."""
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")

    def format(self, record: logging.LogRecord) -> str:
        """The whole record, which cannot move a terminal's cursor."""
        return visible(masking.without(super().format(record), self._secrets))
