"""Text for GitHub's and GitLab's Markdown, which are the same as far as this goes.

Names, values and messages that are not ours are always shown as code: in there neither forge makes
links, mentions or markup of anything.
"""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from dvc_bucket.base.terminal import visible

#: What may stand between backticks, in a table too.
PLAIN = re.compile(r"[^\s`|\\](?:[^`|\\]*[^\s`|\\])?")

#: What no Markdown parser and no HTML parser has an opinion on.
HARMLESS = " .,/-"

#: Characters of a name or value that are shown.
MAX_VALUE_LENGTH = 120

#: Digits of a number that has not changed, and least and most of one that has.
DIGITS, LEAST_DIGITS, MOST_DIGITS = 6, 4, 15

#: The largest integer that is compared as a number: shares of it still are floating-point numbers.
LARGEST = 10**300


def code(text: object) -> str:
    """A name or value, whatever is in it."""
    shown = _one_line(str(text))
    return f"`{shown}`" if PLAIN.fullmatch(shown) else html_code(text)


def html_code(text: object) -> str:
    """The same where Markdown is not read, as in the summary of `details`."""
    shown = _one_line(str(text)) or "(empty)"
    harmless = (
        one if one.isalnum() or one in HARMLESS else f"&#{ord(one)};"
        for one in shown  # one by one: an entity is never read as markup
    )
    return f"<code>{''.join(harmless)}</code>"


def _one_line(text: str) -> str:
    """A text of one line and of limited length; ends of lines are escapes, too."""
    shown = visible(text, keep="")
    return shown if len(shown) <= MAX_VALUE_LENGTH else f"{shown[: MAX_VALUE_LENGTH - 1]}…"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], right: int = 0) -> list[str]:
    """Lines of a table of ready cells; the last `right` columns are aligned to the right."""
    left = len(headings) - right
    rule = ["---"] * left + ["---:"] * right
    return [f"| {' | '.join(row)} |" for row in (headings, rule, *rows)] + [""]


def details(summary: str, lines: Sequence[str]) -> list[str]:
    """Lines that are shown on a click; the summary is HTML."""
    return [f"<details><summary>{summary}</summary>", "", *lines, "</details>", ""]


def listed(items: Sequence[str], limit: int, between: str = ", ") -> str:
    """The first items, and how many more there are."""
    if len(items) <= limit + 1:  # "and 1 more" is as long as the one
        return between.join(items)
    return between.join([*items[:limit], f"and {len(items) - limit:,} more"])


def numbers(before: Any, after: Any) -> tuple[str, str, str]:
    """Two values and what is between them, with the digits that tell them apart."""
    if not (_is_number(before) and _is_number(after)):
        return _one(before), _one(after), ""
    difference = after - before
    if not math.isfinite(difference) or not difference:
        return _one(before), _one(after), ""
    if isinstance(before, int) and isinstance(after, int):
        return f"{before:,}", f"{after:,}", f"{difference:+,}{_percent(difference, before)}"
    above = math.floor(math.log10(max(abs(before), abs(after))))
    digits = min(
        max(above - math.floor(math.log10(abs(difference))) + 2, LEAST_DIGITS), MOST_DIGITS
    )
    change = f"{difference:+.2g}{_percent(difference, before)}"
    was, now = (f"{value:#.{digits}g}".rstrip(".") for value in (before, after))
    return was, now, change


def _one(value: Any) -> str:
    if value is None:
        return ""
    if _is_number(value):
        return f"{value:,}" if isinstance(value, int) else f"{value:.{DIGITS}g}"
    return code(value)


def _percent(difference: float, before: float) -> str:
    if not before:
        return ""
    share = 100 * difference / abs(before)
    return f" ({share:+,.0f} %)" if abs(share) >= 10 else f" ({share:+.2g} %)"


def _is_number(value: Any) -> bool:
    """Whether it can be computed with; an integer of hundreds of digits is shown as it is."""
    is_small = not isinstance(value, int) or abs(value) <= LARGEST
    return isinstance(value, int | float) and not isinstance(value, bool) and is_small
