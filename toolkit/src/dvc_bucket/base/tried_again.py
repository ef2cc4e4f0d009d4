"""How many requests of this process were tried again, for the end of a command's output."""

import sys
from collections import Counter

from dvc_bucket.base.terminal import say

#: By reason.
tried_again: Counter[str] = Counter()

#: With these nothing is printed that is no failure.
QUIET = {"-q", "--quiet"}


def summary() -> str:
    """A sentence for a person; empty where no request was tried again."""
    if not tried_again:
        return ""
    total = tried_again.total()
    reasons = ", ".join(f"{reason}: {count:,}" for reason, count in tried_again.most_common())
    requests = "1 request was" if total == 1 else f"{total:,} requests were"
    return f"{requests} tried again ({reasons})."


def tell() -> None:
    """Print it on stderr, unless the command is to be quiet."""
    if tried_again and not QUIET.intersection(sys.argv):
        say(summary())
