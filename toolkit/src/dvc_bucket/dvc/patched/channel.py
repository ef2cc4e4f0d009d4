"""Messages of ours on DVC's own channel, so that `-q` silences them, too."""

import logging

logger = logging.getLogger("dvc").getChild("bucket")

#: The messages of `say_once` so far.
_said: set[str] = set()


def say_once(text: str) -> None:
    """Print a line on standard error, once in a process."""
    if text not in _said:
        _said.add(text)
        logger.warning("bucket: %s", text)
