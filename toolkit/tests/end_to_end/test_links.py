"""Every link from one page of the repository to another leads to a file, and to a heading in it."""

import re
from pathlib import Path
from urllib.parse import unquote

from tests.end_to_end.clones import REPOSITORY
from tests.end_to_end.test_two_houses import tracked

LINK = re.compile(r"\]\((?!\w+:)([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """As both forges make them of headings: lower case, no punctuation, hyphens for blanks."""
    headings = HEADING.findall(CODE.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


def pages() -> list[Path]:
    """All pages but those of projects to be, and second names of a page."""
    names = [
        name for name in tracked() if name.endswith(".md") and "template" not in name.split("/")
    ]
    return [REPOSITORY / name for name in names if not (REPOSITORY / name).is_symlink()]


def test_every_link_between_pages_leads_somewhere() -> None:
    broken = []
    for page in pages():
        for link in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
            path, _, anchor = unquote(link).partition("#")
            target = (page.parent / path).resolve() if path else page
            if not target.exists() or (anchor and anchor not in anchors(target)):
                broken.append(f"{page.relative_to(REPOSITORY)}: {link}")
    assert not broken
