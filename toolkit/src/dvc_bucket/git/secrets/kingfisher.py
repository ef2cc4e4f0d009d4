"""What Kingfisher finds in a text: by our rules for notations, by its own for keys and tokens.

Neither it nor its rules use the network.
"""

import gzip
import os
import re
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from dvc_bucket.base import extras

if TYPE_CHECKING:
    from kingfisher_sdk import Finding, Scanner

#: The notations of a value beside its name, and of a URL with a password.
RULES = Path(__file__).with_name("rules.toml")

#: Its rule for URLs takes `postgres:postgres@localhost` for a secret; ours knows more schemes.
REPLACED = "betterleaks.generic-credential-uri"

#: How compressed files and archives begin: gzip, ZIP, bzip2, xz. A tar has a mark inside.
MAGIC = (b"\x1f\x8b", b"PK\3\4", b"BZh", b"\xfd7zXZ\0")
TAR_MARK = slice(257, 262), b"ustar"

#: Members are searched up to this size of all of them, and down to this level.
MAX_UNPACKED_BYTES = 256 * 1024 * 1024
MAX_DEPTH = 2


class UnpackError(Exception):
    """An archive is damaged, or larger than what is unpacked."""


@dataclass(frozen=True)
class Match:
    """Something that looks like a secret.

    Attributes:
        what: its nature, for a person.
        value: the secret itself.
        name: the name that it was given to; None where it has a known form.
        first: number of its first line, counted from 1.
        last: number of its last line.
        is_key: whether Kingfisher's own catalogue found it.
    """

    what: str
    value: str
    name: str | None
    first: int
    last: int
    is_key: bool


def matches(path: str, data: bytes) -> Iterator[Match]:
    """Values in a known notation, then keys and tokens of known services.

    Args:
        path: decides the notation: a bare word is a value in `.env`, and a name in `.py`.
        data: UTF-8, or UTF-16 or UTF-32 in any order of bytes; Base64 in it is decoded.

    Raises:
        MissingExtraError: Kingfisher is not installed.
    """
    yield from values(path, data)
    # Without the path: with one, it skips lock files, images and installed packages.
    for finding in _scanner().scan(data):
        if finding.visible and finding.rule_id != REPLACED:
            kind = re.split(r"[./]", finding.rule_id, maxsplit=1)[-1]
            yield _match(finding, f"a key or token ({kind})", is_key=True)


def values(path: str, data: bytes) -> Iterator[Match]:
    """Values in a known notation alone; the arguments and errors are those of `matches`."""
    scanner = _scanner(RULES)
    from kingfisher_sdk import ScanInput

    named = os.fsencode(path).decode("utf-8", "replace")
    for finding in scanner.scan_input(ScanInput(path=named, data=data)):
        name = finding.captures.get("name")
        yield _match(finding, f"a value for {name}" if name else finding.rule_name, name)


def _match(finding: "Finding", what: str, name: str | None = None, is_key: bool = False) -> Match:
    place = finding.location
    return Match(what, finding.secret, name, place["line"], place["end_line"], is_key)


def is_archive(data: bytes) -> bool:
    """Whether a content that begins with `data` has others in it."""
    place, mark = TAR_MARK
    return data.startswith(MAGIC) or data[place] == mark


def members(path: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file in an archive.

    Raises:
        UnpackError: it is damaged or too large.
    """
    from kingfisher_sdk import ScanInput, expand_archives

    try:
        if data.startswith(MAGIC[0]):  # Kingfisher reads the first of several gzip members only
            with gzip.open(BytesIO(data)) as file:
                path, data = f"{path}!content", file.read(MAX_UNPACKED_BYTES)
        place, mark = TAR_MARK
        named = f"{path}.tar" if data[place] == mark and not path.endswith(".tar") else path
        source = ScanInput(path=named, data=data)
        for member in expand_archives([source], depth=MAX_DEPTH, max_bytes=MAX_UNPACKED_BYTES):
            yield member.path, member.data or b""
    except (RuntimeError, OSError, EOFError, zlib.error) as error:
        raise UnpackError from error


@cache
def _scanner(rules: Path | None = None) -> "Scanner":
    """A scanner with the rules of a file, or with Kingfisher's own.

    Compiling the rules takes seconds, so the outcome is kept beside the installed packages.

    Raises:
        MissingExtraError: it is not installed.
    """
    with extras.needed("secrets"):
        from kingfisher_sdk import Rules, Scanner
    folder = Path(sys.prefix) / "kingfisher"
    is_ours = os.access(sys.prefix, os.W_OK)  # else its cache is in this user's folder for caches
    if is_ours and not folder.is_dir():
        print("Preparing the scanner for secrets (once, a few seconds) ...", file=sys.stderr)
    kept = folder if is_ours else None
    return Scanner(Rules([rules] if rules else [], builtins=rules is None, cache_dir=kept))
