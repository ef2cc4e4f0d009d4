"""Pages as a real browser shows them: the machine's Chromium, driven by Playwright."""

import contextlib
import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    ViewportSize,
    sync_playwright,
)

#: Debian's name, and those of other systems. Playwright's own browsers are a download.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

#: Pixels: a desk and a small phone.
DESK, PHONE = 1280, 360

#: The rules of WCAG 2.1, levels A and AA.
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}


@contextlib.contextmanager
def started() -> Iterator[Browser]:
    """A browser; the test is skipped where the machine has none."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("No Chromium here: toolkit/tests/machines/packages installs it as root.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


class _Silent(http.server.SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer; a browser asks for this icon by itself, whatever the page is."""
        if self.path == "/favicon.ico":
            self.send_response(http.HTTPStatus.NO_CONTENT)
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a server for the files of a folder, at a free port of 127.0.0.1."""
    handler = functools.partial(_Silent, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@dataclass
class Visit:
    """A page in the browser, and what went wrong in it."""

    page: Page
    faults: list[str]

    def look(self) -> None:
        """Note what is too wide for the window, and what not everybody can use (axe-core)."""
        wide = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if wide > 0:
            self.faults.append(f"The page scrolls sideways, by {wide} pixels.")
        for found in Axe().run(self.page, options=RULES).response["violations"]:
            nodes = [node["html"][:200] for node in found["nodes"][:3]]
            self.faults.append(f"{found['id']}: {found['help']}: {nodes}")


@contextlib.contextmanager
def visit(
    browser: Browser, url: str, width: int, *, scheme: Literal["light", "dark"] = "light"
) -> Iterator[Visit]:
    """Open a page.

    Args:
        browser: that shows it.
        url: of the page. Requests to another server, also refused ones, are faults.
        width: of the window, in pixels.
        scheme: `light` or `dark`.
    """
    size: ViewportSize = {"width": width, "height": 800}
    context = browser.new_context(viewport=size, color_scheme=scheme)
    page, faults = context.new_page(), list[str]()
    home = "/".join([*url.split("/")[:3], ""])

    def on_console(said: ConsoleMessage) -> None:
        if said.type in {"error", "warning"}:
            faults.append(said.text)

    def on_request(sent: Request) -> None:
        if not sent.url.startswith((home, "data:", "blob:")):
            faults.append(f"The page asks {sent.url}.")

    page.on("console", on_console)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", on_request)
    page.goto(url)
    yield Visit(page, faults)
    context.close()


def faults_of(browser: Browser, url: str) -> list[str]:
    """What is wrong with a page on a desk, which is light, and on a small phone, which is dark."""
    found = []
    for width in (DESK, PHONE):
        with visit(browser, url, width, scheme="light" if width == DESK else "dark") as seen:
            seen.look()
            found += [f"{width} px: {fault}" for fault in seen.faults]
    return found
