"""The documentation site: no link to nowhere, and no fault in a browser. `make docs` runs it."""

import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests import TESTS_ROOT, browser

HOME = "toolkit/docs/README.html"

#: Pages of each kind: lists, pictures and code, wide tables, what is made of the code.
PAGES = (HOME, "README.html", "toolkit/docs/doctor.html", "toolkit/docs/commands.html")

#: Dashes and quotes that no shell reads, and the word after one.
TYPESET = re.compile(r"[\u2013\u2014\u2018\u201c\u201d][\w-]*")


class Addresses(HTMLParser):
    """What a page links to, what it loads, and its anchors."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors.add(values.get("id", ""))
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag in {"script", "img", "link", "iframe", "source"}:
            self.loaded += [values[name] for name in ("src", "href") if name in values]


@pytest.fixture(scope="module")
def site() -> Path:
    """The site as `make docs` has built it."""
    folder = TESTS_ROOT / "site"
    assert (folder / HOME).is_file(), "make docs builds the site, then runs these tests"
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Addresses]:
    return {page: Addresses(page) for page in site.rglob("*.html")}


def test_every_link_leads_to_a_page_and_an_anchor(pages: dict[Path, Addresses]) -> None:
    broken = []
    for page, found in pages.items():
        for link in found.links:
            address = urlsplit(link)
            if address.scheme or not (address.path or address.fragment):
                continue
            target = (page.parent / unquote(address.path)).resolve() if address.path else page
            anchors = pages[target].anchors if target in pages else set()
            if not target.exists() or (address.fragment and address.fragment not in anchors):
                broken.append(f"{page.name}: {link}")
    assert not broken


def test_no_page_loads_anything_from_elsewhere(pages: dict[Path, Addresses]) -> None:
    assert pages
    elsewhere = {
        address for found in pages.values() for address in found.loaded if urlsplit(address).netloc
    }
    assert not elsewhere


def test_every_page_of_the_docs_is_in_the_menu(site: Path) -> None:
    menu = (site / HOME).read_text(encoding="utf-8")
    for page in (TESTS_ROOT / "docs").glob("*.md"):
        assert f'href="{page.stem}.html"' in menu or page.name == "README.md", page.name


def test_commands_can_be_copied_from_the_page_of_commands(site: Path) -> None:
    page = (site / "toolkit/docs/commands.html").read_text(encoding="utf-8")
    text = unescape(re.sub(r"<[^>]*>", "", page))
    assert "ARGS=--pull" in text
    assert 'PACKAGE="scipy>=1.14"' in text
    assert TYPESET.findall(text) == []
    assert "<python|notebook|r|shell>" in text


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.started() as found:
        yield found


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with browser.served(site) as found:
        yield found


@pytest.mark.parametrize("page", PAGES)
def test_a_browser_finds_no_fault(chromium: Browser, address: str, page: str) -> None:
    assert browser.faults_of(chromium, f"{address}/{page}") == []


def results(page: Page) -> list[str]:
    page.wait_for_selector("#search-results li a")
    return page.locator("#search-results li a").all_inner_texts()


def test_the_search_finds_what_a_store_says(chromium: Browser, address: str) -> None:
    with browser.visit(chromium, f"{address}/", 1280) as seen:
        seen.page.wait_for_url(f"{address}/{HOME}")
        seen.page.keyboard.press("/")  # the search is reached without a mouse
        seen.page.fill("input[name=q]", "Forbidden")
        seen.page.keyboard.press("Enter")
        found = results(seen.page)
        assert "When something fails" in found
        seen.look()
        assert seen.faults == []
