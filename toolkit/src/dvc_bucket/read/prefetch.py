"""Results in order, and a few of them worked on ahead."""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import repeat
from typing import TypeVar, cast

Item = TypeVar("Item")
Result = TypeVar("Result")


def prefetch(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    threads: int,
    count: int,
    size_of: Callable[[Item], int] = lambda _: 0,
    max_bytes: float = math.inf,
) -> Iterator[Result]:
    """Do `work` with each item in threads; results in the order of the items.

    Args:
        work: raises what ends the whole.
        items: asked for as they are needed.
        threads: how many work at once.
        count: how many results there are at a time, done or under way.
        size_of: bytes of an item's result.
        max_bytes: of the results that there are at a time; a larger one is there alone.
    """
    coming, end = iter(items), object()
    held: deque[Item] = deque()  # asked for, and too large for now
    running: deque[tuple[Future[Result], int]] = deque()

    def start(item: Item) -> bool:
        if running and sum(size for _, size in running) + size_of(item) > max_bytes:
            held.append(item)
            return False
        running.append((pool.submit(work, item), size_of(item)))
        return True

    with ThreadPoolExecutor(threads) as pool, ExitStack() as leaving:
        leaving.callback(pool.shutdown, wait=False, cancel_futures=True)
        while True:
            while len(running) < count:
                item = held.popleft() if held else next(coming, end)
                if item is end or not start(cast("Item", item)):
                    break
            if not running:
                return
            yield running.popleft()[0].result()


def prefetch_items(items: Iterable[Item], count: int) -> Iterator[Item]:
    """The same items; a thread makes up to `count` of them ahead."""
    coming, end = iter(items), object()
    for item in prefetch(lambda _: next(coming, end), repeat(None), threads=1, count=count):
        if item is end:
            return
        yield cast(Item, item)
