"""What a new version asks of a project: the part "What to do" of each version in the changelog."""

import re
from collections.abc import Iterator
from importlib import resources

#: The changelog of the toolkit, in its wheel.
CHANGELOG = "CHANGELOG.md"

_VERSION = re.compile(
    r"^## (\d+)\.(\d+)\.(\d+)\b[^\n]*\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL
)
_TO_DO = re.compile(r"^### What to do\n+(.*?)(?=^### |\Z)", re.MULTILINE | re.DOTALL)


def to_do(old: str, new: str, text: str | None = None) -> Iterator[tuple[str, str]]:
    """Version and lines for each version after `old` up to `new` that asks for something.

    Args:
        old: version of the project before; empty if it is not known, then all up to `new`.
        new: version of the project now.
        text: of the changelog; None for the toolkit's own.
    """
    if text is None:
        text = resources.files("dvc_bucket").joinpath(CHANGELOG).read_text(encoding="utf-8")
    first, last = _numbers(old), _numbers(new)
    for *numbers, body in reversed(_VERSION.findall(text)):
        asked = _TO_DO.search(body)
        if asked and first < tuple(map(int, numbers)) <= last:
            yield ".".join(numbers), asked[1].strip()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split("."))) if version else ()
