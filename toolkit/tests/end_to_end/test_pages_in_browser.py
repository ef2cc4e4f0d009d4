"""The pages that a project makes for people, in a browser: the report, and the page of a crate."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests import browser
from tests.clones import Clone


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.started() as found:
        yield found


def test_the_report_has_no_fault(chromium: Browser, reproduced: Clone) -> None:
    with browser.served(reproduced.root / "reports") as address:
        assert browser.faults_of(chromium, f"{address}/report.html") == []


def test_the_page_of_a_crate_has_no_fault(
    chromium: Browser, reproduced: Clone, tmp_path: Path
) -> None:
    reproduced.run("bucket", "provenance", "--out", str(tmp_path / "crate"))
    with browser.served(tmp_path / "crate") as address:
        assert browser.faults_of(chromium, f"{address}/ro-crate-preview.html") == []
