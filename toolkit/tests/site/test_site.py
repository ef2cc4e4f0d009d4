"""The documentation site: no warning, no link to nowhere, and no fault in a browser."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from dvc_bucket.base.project_settings import ProjectSettings
from dvc_bucket.connection.settings import NAMES
from tests import TESTS_ROOT, browser

HOME = "toolkit/docs/README.html"

#: Pages of each kind: lists, wide tables, code, what is made of the code, the front page.
PAGES = (
    HOME,
    "README.html",
    "toolkit/docs/tutorial.html",
    "toolkit/docs/doctor.html",
    "toolkit/docs/commands.html",
    "toolkit/docs/python.html",
)


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
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built by the command of `make docs`."""
    folder = tmp_path_factory.mktemp("site")
    [command] = re.findall(r"sphinx-build (.*) -d ", (TESTS_ROOT / "Makefile").read_text())
    words = ["-d", folder / "doctrees", TESTS_ROOT.parent, folder / "site"]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *command.split(), *words],
        cwd=TESTS_ROOT,
        env=os.environ | {"PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    return folder / "site"


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


def test_the_page_of_settings_has_all_and_no_other() -> None:
    page = (TESTS_ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `([^`=]+)(?:=\w+)?` \|", page, re.MULTILINE))
    names = {name for group in NAMES.values() for name in group if name.startswith("OS_")}
    keys = {name.replace("_", "-") for name in ProjectSettings.model_fields}
    assert names | keys <= rows
    known = (*(TESTS_ROOT / "src").rglob("*.py"),)
    code = "".join(path.read_text(encoding="utf-8") for path in known)
    assert not [name for name in rows - keys - {"NO_COLOR"} if name not in code]


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
        assert any("store" in title or "connection" in title for title in found), found
        seen.look()
        assert seen.faults == []
