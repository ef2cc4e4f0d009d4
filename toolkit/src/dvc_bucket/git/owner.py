"""A repository of another user, which git does not read: its configuration could start programs."""

import re
import shlex

from dvc_bucket.base.errors import OwnerError

#: How git says so; the root is in quotes.
REFUSED = re.compile(r"dubious ownership in repository at '(.*)'")


def check(said: str) -> None:
    """Explain git's refusal.

    Args:
        said: what a git command that failed has printed.

    Raises:
        OwnerError: it was refused as the repository is another user's.
    """
    if match := REFUSED.search(said):
        raise OwnerError(
            f"git does not trust {match[1]}, which belongs to another user. Work in a clone of "
            "your own. If you trust everyone who can write there: `git config --global --add "
            f"safe.directory {shlex.quote(match[1])}`."
        )
