"""Lock files in pip's format, package by package."""

import re
from collections.abc import Iterator

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)

#: A package: its name, and all lines until the next one.
PACKAGE = re.compile(r"^(\w[\w.-]*)==[^\n]*\n(?:[ \t#][^\n]*\n|\n)*", re.MULTILINE)

#: A name with a version or an address: `pandas==3.1.1`, `mine @ git+https://example.org/mine@COMMIT`.
PIN = re.compile(
    r"^(\w[\w.-]*)(?:\[[^]\n]*\])?[ \t]*(?:==[ \t]*([^\s;\\]+)|@[ \t]*([^\s;\\]+))", re.MULTILINE
)

#: The commit in an address of a version control system.
COMMIT = re.compile(r"^\w+\+.*@([0-9a-f]{40,64})(?:#.*)?$")


def packages(text: str) -> dict[str, str]:
    """Lines by name of the package; one that is there for several systems has all its lines."""
    pins: dict[str, str] = {}
    for match in PACKAGE.finditer(text if text.endswith("\n") else f"{text}\n"):
        pins[match[1]] = pins.get(match[1], "") + match[0]
    return pins


def versions(text: str) -> dict[str, list[str]]:
    """The pinned versions by name (PEP 503), in order; several where systems have one each.

    A package of git has its commit (a whole one). Local labels (`+cu128`) are left out: they tell
    builds of one version apart, which differ by system. So is an address that names no version.
    """
    by_name: dict[str, list[str]] = {}
    for name, version, address in PIN.findall(text):
        pinned = by_name.setdefault(canonicalize_name(name), [])
        for one in [public(version)] if version else _of_address(address):
            if one not in pinned:
                pinned.append(one)
    return {name: sorted(pinned) for name, pinned in by_name.items() if pinned}


def public(version: str) -> str:
    """A version without its local label."""
    return version.partition("+")[0]


def _of_address(address: str) -> Iterator[str]:
    """The commit, or the version in the name of the file; nothing where it has neither."""
    if commit := COMMIT.match(address):
        yield commit[1]
        return
    file = address.partition("#")[0].rpartition("/")[2]
    for parse in (parse_wheel_filename, parse_sdist_filename):
        try:
            yield public(str(parse(file)[1]))
        except (InvalidWheelFilename, InvalidSdistFilename):
            continue
        return
