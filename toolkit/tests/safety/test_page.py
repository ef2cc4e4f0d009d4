"""docs/security.md names a test for each line, and each test that it names exists."""

import re

from tests import TESTS_ROOT

PAGE = (TESTS_ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_every_test_on_the_page_exists() -> None:
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", PAGE)
    assert len(named) > 40
    for file, test in named:
        text = (TESTS_ROOT / "tests" / "safety" / file).read_text(encoding="utf-8")
        assert f"def {test}(" in text, f"{file}::{test}"


def test_every_line_of_a_table_names_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and "| --- |" not in line]
    for row in rows:
        if not row.endswith("| test |"):
            assert re.search(r"`test_\w+\.py::test_\w+`", row), row
