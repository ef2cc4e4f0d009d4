"""Text for a person: a name from data cannot move the cursor, change colours or give commands."""

import sys
from collections.abc import Iterable
from typing import Any, TextIO, cast

#: Control characters that lines are made of.
LAYOUT = "\n\t"


def visible(text: str, keep: str = LAYOUT) -> str:
    r"""A text in which each character that cannot be seen is an escape, such as `\x1b`.

    Args:
        text: with names or messages that are not ours.
        keep: control characters that stay.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in keep else char.encode("unicode_escape").decode()
        for char in text
    )


def say(text: str) -> None:
    """One line on stderr, beside a progress bar of DVC's if there is one."""
    line = visible(f"bucket: {text}")
    if bars := sys.modules.get("tqdm"):
        bars.tqdm.write(line, file=sys.stderr)
    else:
        print(line, file=sys.stderr, flush=True)


def guard() -> None:
    """Make invisible characters visible in all text that this process prints for a person.

    That is standard error, and standard output on a terminal; a pipe gets names as they are.
    Rich has colours of its own: see `dvc_bucket.base.console`.
    """
    import colorama  # type: ignore[import-untyped]

    # DVC's import puts colorama around both streams: on Linux it only removes parts of names in a
    # pipe, fails at others, and writes a command of its own at the end.
    colorama.init = lambda **_: None
    # Nor are DVC's own colours told apart from those in a name: its messages are plain.
    for codes in (colorama.Fore, colorama.Back, colorama.Style):
        vars(codes).update(dict.fromkeys(vars(codes), ""))
    sys.stderr = cast(TextIO, _Guarded(sys.stderr))
    if sys.stdout.isatty():
        sys.stdout = cast(TextIO, _Guarded(sys.stdout))


class _Guarded:
    """A text stream on which invisible characters are visible.

    Attributes:
        rich_proxied_file: where Rich writes instead, by Rich's own name for that.
    """

    def __init__(self, stream: TextIO) -> None:
        self.rich_proxied_file = stream

    def write(self, text: str) -> int:
        """Write a text."""
        self.rich_proxied_file.write(visible(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)
