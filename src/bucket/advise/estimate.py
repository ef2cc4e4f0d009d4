"""From what a part costs to what the whole will."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Self


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
    def through(
        cls,
        work: Callable[[int], None],
        steps: tuple[int, int],
        clock: Callable[[], float] = time.perf_counter,
    ) -> Self:
        """The line through what few units and what more of them take.

        A first unit is not counted: it opens connections and loads code, once a process.
        """
        few, more = steps
        work(1)
        taken = []
        for count in (few, more):
            start = clock()
            work(count)
            taken.append(clock() - start)
        if more == few:
            return cls(0.0, taken[1] / more)
        # Where the few took longer than their share, it is the start that they paid for; where they
        # took less, it is noise, or a pace that more of them slow down: then the larger part tells.
        each = max(0.0, min((taken[1] - taken[0]) / (more - few), taken[1] / more))
        return cls(taken[1] - each * more, each)

    def seconds(self, units: float) -> float:
        """What so many units take."""
        return self.start + self.each * units


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
