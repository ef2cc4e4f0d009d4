"""The tests."""

from pathlib import Path

#: The folder that holds this package, and beside it the pages and benchmarks that are about the
#: code under test. It is no project for tests to read: those are copies of `fixture_project`.
TESTS_ROOT = Path(__file__).parents[1]
