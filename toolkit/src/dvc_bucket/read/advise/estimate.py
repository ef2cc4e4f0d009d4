"""From what a part costs to what the whole will."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Self

#: Does so many units of the work.
Way = Callable[[int], None]

#: How often all is measured, and the seconds after which it is not begun again: what takes long
#: is told well enough by one time.
ROUNDS = 3
ENOUGH_SECONDS = 2.0


@dataclass(frozen=True)
class Line:
    """Seconds as a start and so much for each unit.

    Attributes:
        start: what it costs to begin.
        each: what a unit costs, once it runs.
    """

    start: float
    each: float

    @classmethod
    def through(cls, steps: tuple[int, int], taken: tuple[float, float]) -> Self:
        """The line through what few units and what more of them take."""
        (few, more), (first, second) = steps, taken
        if more == few:
            return cls(0.0, median(taken) / more)
        # Where the few took longer than their share, it is the start that they paid for; where they
        # took less, it is noise, or a pace that more of them slow down: then the larger part tells.
        each = max(0.0, min((second - first) / (more - few), second / more))
        return cls(second - each * more, each)

    def seconds(self, units: float) -> float:
        """What so many units take."""
        return self.start + self.each * units


def lines(
    ways: Sequence[Way], steps: tuple[int, int], clock: Callable[[], float] = time.perf_counter
) -> list[Line]:
    """The line of each way, through medians.

    The ways take turns, so that what else the machine does meets all of them, and a first unit of
    each is not counted: it opens connections and loads code, once a process.

    Args:
        ways: each does so many units; a later one of a round may need what an earlier one did.
        steps: few units, and more of them.
        clock: tells seconds.
    """
    for way in ways:
        way(1)
    begin = clock()
    taken: list[tuple[list[float], list[float]]] = [([], []) for _ in ways]
    for _ in range(ROUNDS):
        for way, times in zip(ways, taken, strict=True):
            for count, seconds in zip(steps, times, strict=True):
                start = clock()
                way(count)
                seconds.append(clock() - start)
        if clock() - begin > ENOUGH_SECONDS:
            break
    return [Line.through(steps, (median(few), median(more))) for few, more in taken]


@dataclass(frozen=True)
class Costs:
    """Seconds of the parts of either way.

    A staged read is fetched once and read from the disk each time; a streamed one crosses the wire
    each time. Staging is the faster way from D / (T_stream - T_local) reads on, with D what it
    takes to fetch.

    Attributes:
        lookup: finding out what DVC tracks.
        stream: one streamed read.
        fetch: all files to the disk.
        local: one read from the disk.
    """

    lookup: float
    stream: float
    fetch: float
    local: float

    def staged(self, reads: int) -> float:
        """Seconds of so many reads of what is staged first."""
        return self.lookup + self.fetch + reads * self.local

    def streamed(self, reads: int) -> float:
        """Seconds of so many streamed reads."""
        return reads * (self.lookup + self.stream)

    @property
    def turn(self) -> int | None:
        """The number of reads from which staging is the faster way; None if it never is."""
        gain = self.lookup + self.stream - self.local
        if gain <= 0:
            return None
        return max(1, ceil((self.lookup + self.fetch) / gain))
