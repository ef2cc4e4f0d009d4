"""The Makefile of a project, for make 3.81 (2006), which macOS has."""

import re
from pathlib import Path

from tests.end_to_end.clones import REPOSITORY

#: What GNU make has learnt since, as its NEWS says: 3.82 to 4.4.
LATER = re.compile(
    r"^\.ONESHELL|^\.SHELLFLAGS|^\.EXTRA_PREREQS|^\.NOTINTERMEDIATE|^\.WAIT|^undefine\b|^private\b"
    r"|^define\s+\S+\s*[:+?]?=|^load\b|^\S+\s*(!=|::=|:::=)|\S\s*&:"
    r"|\$\((file|guile|intcmp|let)\b|\$\{(file|guile|intcmp|let)\b",
    re.MULTILINE,
)


def test_no_part_of_the_makefile_is_newer_than_make_3_81() -> None:
    assert not LATER.findall((REPOSITORY / "Makefile").read_text())


def test_the_test_sees_what_is_newer() -> None:
    later = [".ONESHELL:", "a != date", "a ::= b", "a b &: c", "x := $(file <name)", "define a ="]
    assert all(LATER.search(line) for line in later)


def test_every_target_says_what_it_does_and_is_phony(template: Path) -> None:
    text = (template / "Makefile").read_text()
    phony = set(" ".join(re.findall(r"^\.PHONY: ((?:.*\\\n)*.*)$", text, re.MULTILINE)).split())
    assert phony - {"\\"} == set(re.findall(r"^([a-z]+):", text, re.MULTILINE))
    assert set(re.findall(r"^([a-z]+):.*## ", text, re.MULTILINE)) == phony - {"\\"}
