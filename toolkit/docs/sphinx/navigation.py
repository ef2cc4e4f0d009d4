"""The menu of the site: the lists of links in `docs/README.md`, by heading.

The page is plain Markdown, which both forges show as it is. Sphinx wants the same lists once more,
as `toctree`; a page that no list names is a warning, and so a failure.
"""

import re
from typing import Any

HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
#: A page at the beginning of an item. Links to a heading, and further links, are no entries.
PAGE = re.compile(r"^- \[[^]]+\]\(([^)#:]+\.md)\)", re.MULTILINE)


def with_menu(text: str) -> str:
    """The text of the page, and after each list a hidden `toctree` of its pages.

    Args:
        text: of the page, in Markdown.
    """
    before, *parts = HEADING.split(text)
    for heading, part in zip(parts[::2], parts[1::2], strict=True):
        before += f"## {heading}{part}"
        if pages := PAGE.findall(part):
            before += f"\n```{{toctree}}\n:hidden:\n:caption: {heading}\n\n"
            before += "\n".join(pages) + "\n```\n\n"
    return before


def _add_menu(app: Any, name: str, source: list[str]) -> None:
    if name == app.config.root_doc:
        source[0] = with_menu(source[0])


def setup(app: Any) -> dict[str, bool]:
    """Register the extension."""
    app.connect("source-read", _add_menu)
    return {"parallel_read_safe": True}
