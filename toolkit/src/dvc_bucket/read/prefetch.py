"""Results in order, and a few of them worked on ahead."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice, repeat
from typing import TypeVar, cast

Item = TypeVar("Item")
Result = TypeVar("Result")


def prefetch(
    work: Callable[[Item], Result], items: Iterable[Item], *, threads: int, count: int
) -> Iterator[Result]:
    """Do `work` with each item in threads; results in the order of the items.

    Args:
        work: raises what ends the whole.
        items: asked for as they are needed.
        threads: how many work at once.
        count: how many results there are at a time, done or under way.
    """
    coming = iter(items)
    with ThreadPoolExecutor(threads) as pool:
        running: deque[Future[Result]] = deque(
            pool.submit(work, item) for item in islice(coming, count)
        )
        try:
            while running:
                yield running.popleft().result()
                running.extend(pool.submit(work, item) for item in islice(coming, 1))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def prefetch_items(items: Iterable[Item], count: int) -> Iterator[Item]:
    """The same items; a thread makes up to `count` of them ahead."""
    coming, end = iter(items), object()
    for item in prefetch(lambda _: next(coming, end), repeat(None), threads=1, count=count):
        if item is end:
            return
        yield cast(Item, item)
