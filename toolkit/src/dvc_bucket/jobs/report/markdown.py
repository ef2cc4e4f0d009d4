"""Filters for the Markdown of GitHub and GitLab, which are the same as far as this goes.

Names, values and messages of a project are always shown as code: inside code neither forge makes
links, mentions or markup.
"""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from markupsafe import Markup, escape

from dvc_bucket.base.terminal import visible

#: What may stand between backticks, in a table too.
PLAIN = re.compile(r"[^\s`|\\](?:[^`|\\]*[^\s`|\\])?")

#: Characters without a meaning in Markdown and in HTML, beside letters and digits.
HARMLESS = " .,/-"

#: Characters of a name or value that are shown.
MAX_VALUE_LENGTH = 120

#: Digits of a number that has not changed, and least and most of one that has.
DIGITS, LEAST_DIGITS, MOST_DIGITS = 6, 4, 15

#: The largest integer that is compared as a number: shares of it still are floating-point numbers.
LARGEST = 10**300


def code(text: object, *, html: bool = False) -> Markup:
    """The one escape: any name or value as code, in one line and of limited length.

    Args:
        text: from the project; ends of lines and other invisible characters become escapes.
        html: where Markdown is not read, as in the summary of `details`.
    """
    shown = visible(str(text), keep="")
    if len(shown) > MAX_VALUE_LENGTH:
        shown = f"{shown[: MAX_VALUE_LENGTH - 1]}…"
    if not html and PLAIN.fullmatch(shown):
        return Markup(f"`{shown}`")  # noqa: S704 - the escape itself
    entities = (  # char by char: an entity is never read as markup
        char if char.isalnum() or char in HARMLESS else f"&#{ord(char)};"
        for char in shown or "(empty)"
    )
    return Markup(f"<code>{''.join(entities)}</code>")  # noqa: S704 - the escape itself


def listed(
    items: Sequence[Any],
    limit: int,
    between: str = ", ",
    show: Callable[[Any], str] = code,
) -> Markup:
    """The first items and the number of the others; `show` makes each of them Markdown."""
    # "and 1 more" is as long as the one item.
    first = items if len(items) <= limit + 1 else items[:limit]
    rest = [f"and {len(items) - limit:,} more"] if len(items) > len(first) else []
    return escape(between).join([*map(show, first), *rest])


def numbers(before: Any, after: Any) -> tuple[str, str, str]:
    """Two values and their difference, with the digits that tell them apart."""
    if not (_is_number(before) and _is_number(after)):
        return _value(before), _value(after), ""
    difference = after - before
    if not math.isfinite(difference) or not difference:
        return _value(before), _value(after), ""
    share = 100 * difference / abs(before) if before else 0
    digits = ",.0f" if abs(share) >= 10 else ".2g"
    percent = f" ({share:+{digits}} %)" if before else ""
    if isinstance(before, int) and isinstance(after, int):
        return f"{before:,}", f"{after:,}", f"{difference:+,}{percent}"
    above = math.floor(math.log10(max(abs(before), abs(after))))
    needed = above - math.floor(math.log10(abs(difference))) + 2
    places = min(max(needed, LEAST_DIGITS), MOST_DIGITS)
    was, now = (f"{value:#.{places}g}".rstrip(".") for value in (before, after))
    return was, now, f"{difference:+.2g}{percent}"


def _value(value: Any) -> str:
    if value is None:
        return ""
    if not _is_number(value):
        return code(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.{DIGITS}g}"


def _is_number(value: Any) -> bool:
    """Whether it can be computed with; an integer of hundreds of digits is shown as it is."""
    is_small = not isinstance(value, int) or abs(value) <= LARGEST
    return isinstance(value, int | float) and not isinstance(value, bool) and is_small
