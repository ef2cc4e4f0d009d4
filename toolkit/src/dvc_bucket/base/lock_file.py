"""Lock files in pip's format, package by package."""

import re

#: A package: its name, and all lines until the next one.
PACKAGE = re.compile(r"^(\w[\w.-]*)==[^\n]*\n(?:[ \t#][^\n]*\n|\n)*", re.MULTILINE)


def packages(text: str) -> dict[str, str]:
    """Lines by name of the package; one that is there for several systems has all its lines."""
    found: dict[str, str] = {}
    for match in PACKAGE.finditer(text if text.endswith("\n") else f"{text}\n"):
        found[match[1]] = found.get(match[1], "") + match[0]
    return found
