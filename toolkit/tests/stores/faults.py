"""What goes wrong between a client and a store, the same for the same seed."""

import random
from dataclasses import dataclass
from typing import Literal, NamedTuple

#: What happens to a request that a fault meets:
#:
#: - `status`: it is answered with an S3 error and goes nowhere
#: - `reset`: its connection is reset before it goes anywhere
#: - `cut`, `short`: half of the response's body comes, and the connection ends; or `Content-Length`
#:   agrees with the half
#: - `flip`, `etag`: a byte of the body is another one; the `ETag` is another one
#: - `whole`: 200 instead of 206, as `rclone serve s3` answers
#: - `redirect`: it is sent to a port where nobody listens
#: - `close`: the connection ends after the response, which did not announce it
#: - `silent`: there is no answer, and the connection stays until the client ends it
Kind = Literal[
    "status", "reset", "cut", "short", "flip", "etag", "whole", "redirect", "close", "silent"
]

#: Kinds that need a body, and so meet GET alone.
OF_BODIES = {"cut", "short", "flip", "etag", "whole"}

#: S3's code for a status.
CODES = {429: "TooManyRequests", 500: "InternalError", 503: "SlowDown"}


@dataclass(frozen=True)
class Faults:
    """The weather.

    Attributes:
        kind: what happens.
        every: to one request in so many, at a place in each group of them that the seed chooses;
            0 for none.
        burst: instead: to every request in the first so many seconds of every so many.
        methods: only of these methods, with spaces; empty for all.
        status, retry_after: of the kind `status`.
        down: the port refuses connections after so many requests, for so many seconds, once.
        latency: seconds by which a request arrives later.
        rate: bytes a second of all bodies of one direction together; 0 for no limit.
        seed: of the places.
    """

    kind: Kind = "status"
    every: int = 0
    burst: tuple[float, float] = (0, 0)
    methods: str = ""
    status: int = 503
    retry_after: str = ""
    down: tuple[int, float] = (0, 0)
    latency: float = 0.0
    rate: float = 0.0
    seed: int = 0

    def meets(self, number: int, seconds: float) -> bool:
        """Whether the request with this number, after so many seconds, meets the fault."""
        if self.burst[0]:
            return seconds % self.burst[1] < self.burst[0]
        if not self.every:
            return False
        group, place = divmod(number, self.every)
        return random.Random(f"{self.seed} {group}").randrange(self.every) == place

    def concerns(self, method: str) -> bool:
        """Whether requests of this method can meet the fault."""
        methods = self.methods or ("GET" if self.kind in OF_BODIES else method)
        return method in methods.split()


class Exchange(NamedTuple):
    """A request and the status of its answer: 0 if the connection ended before.

    Attributes:
        key: its path and query, decoded.
        at: the time of the request, of `time.monotonic`.
        is_faulty: whether it met the fault.
    """

    method: str
    key: str
    status: int
    at: float
    is_faulty: bool
