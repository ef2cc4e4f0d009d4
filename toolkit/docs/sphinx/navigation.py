"""The menu of the site: the lists of links in `docs/README.md`, by heading.

Such a page is plain Markdown, which both forges show as it is. Sphinx wants its lists once more,
as `toctree`; a page that no list names is a warning, and so a failure.
"""

import re
from typing import Any

#: Pages that list others, by the path that Sphinx has for them.
LISTS = ("toolkit/docs/README", "toolkit/docs/adr/README")

PART = re.compile(r"^(?=## )", re.MULTILINE)
HEADING = re.compile(r"## (.+)")
#: A page at the beginning of an item. Links to a heading, and further links, are no entries.
PAGE = re.compile(r"^(?:-|\d+\.) \[([^]]+)\]\(([^)#:]+\.md)\)", re.MULTILINE)


def with_menu(text: str) -> str:
    """The text of a page, and after each list a hidden `toctree` of its pages.

    Args:
        text: of the page, in Markdown.
    """
    lines = []
    for part in PART.split(text):
        lines.append(part)
        if pages := PAGE.findall(part):
            heading = HEADING.match(part)
            caption = [f":caption: {heading[1]}"] if heading else []
            entries = [f"{title.replace('`', '')} <{page}>" for title, page in pages]
            lines += ["", "```{toctree}", ":hidden:", *caption, "", *entries, "```", "", ""]
    return "\n".join(lines)


def _add_menu(_app: Any, name: str, source: list[str]) -> None:
    if name in LISTS:
        source[0] = with_menu(source[0])


def setup(app: Any) -> dict[str, bool]:
    """Register the extension."""
    app.connect("source-read", _add_menu)
    return {"parallel_read_safe": True}
