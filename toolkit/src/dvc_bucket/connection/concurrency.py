"""How many requests are under way at a time."""

#: The fewest of a transfer. Of 4 to 64 these were the fastest with a store on the same machine: a
#: thread does little for each, but the store has something to do all the time.
REQUESTS = 32

#: The most, for a store far away: as s5cmd.
MAX_REQUESTS = 256

#: The interpreter's time for one. A store that takes n times as long to answer keeps n busy.
REQUEST_SECONDS = 0.0005


def requests_for(seconds: float) -> int:
    """The number of requests for a store that takes so long to answer."""
    return int(max(REQUESTS, min(MAX_REQUESTS, seconds / REQUEST_SECONDS)))
