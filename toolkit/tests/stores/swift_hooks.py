"""What Swift imports by the names that its configuration gives: a cache, and a log on stderr."""

import json
import logging
import sys
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any

#: A WSGI application.
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Cache:
    """What the proxy asks of memcached, in the memory of its process.

    Sound as long as one process is the only reader and writer, as it is here. Values pass through
    JSON, as on their way to memcached: nobody changes what another one holds.
    """

    def __init__(self) -> None:
        self._entries: dict[str, tuple[float, str]] = {}

    def get(self, key: str, **_: object) -> Any:
        expires, value = self._entries.get(key, (0.0, ""))
        return json.loads(value) if monotonic() < expires else None

    # Swift calls it with time=..., which is a number of seconds; 0 is for ever.
    def set(self, key: str, value: object, *, time: float = 0, **_: object) -> None:
        self._entries[key] = (monotonic() + time if time else float("inf"), json.dumps(value))

    def delete(self, key: str, **_: object) -> None:
        self._entries.pop(key, None)


def cache(_global: dict[str, str], **_: str) -> Callable[[Application], Application]:
    """Paste's filter factory: gives every request the one cache."""
    shared = Cache()

    def around(application: Application) -> Application:
        def answer(environment: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            environment["swift.cache"] = shared
            return application(environment, start_response)

        return answer

    return around


def log_to_stderr(*arguments: Any) -> None:
    """Swift's hook for log handlers; without it, warnings go to syslog, where no test looks."""
    logger, adapter = arguments[-2:]
    handler = logging.StreamHandler(sys.__stderr__)
    handler.setFormatter(logging.Formatter(f"{adapter.server}: %(levelname)s %(message)s"))
    logger.handlers = [handler]
