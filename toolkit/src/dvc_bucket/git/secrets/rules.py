"""What counts as a secret in the content, or in the name, of one file."""

import codecs
import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from dvc_bucket.base import extras
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.git.contents import Piece
from dvc_bucket.git.secrets import values

if TYPE_CHECKING:
    from kingfisher_sdk import Scanner

#: A comment that says: what looks like a secret on this line is none.
ALLOW_LINE = "pragma: allowlist secret"

#: Whose values, in the environment, are this person's own.
OWN_NAMES = [
    f"{who}_{what}"
    for who in ("OS", "AWS")
    for what in ("SECRET_ACCESS_KEY", "ACCESS_KEY_ID", "SESSION_TOKEN")
]

#: A shorter value is found in files that do not mean it.
OWN_LENGTH = 8

#: Files that are made to hold credentials: refused by name.
CREDENTIALS = re.compile(
    r"""(?:.*/)?(?:
        \.env(?:\.(?!(?:example|sample|template|dist)$)[^/]*)?
        | \.dvc/config\.local | \.aws/credentials | \.s3cfg | \.boto | \.passwd-s3fs | \.pgpass
        | [._]netrc | \.git-credentials | \.?rclone\.conf | \.mc/config\.json
        | [^/]*\.(?:kdbx|p12|pfx|ppk)
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)

#: What the scanner's catalogue leaves out: an AWS key without its secret half beside it, and URLs
#: of every scheme, such as s3://user:password@host.
SHAPES = {
    "an AWS access key": re.compile(
        r"(?<![A-Za-z0-9])(?P<text>A[KS]IA[A-Z2-7]{16})(?![A-Za-z0-9])"
    ),
    "a password in a URL": re.compile(r"://[^\s/:@\"'<>]*:(?P<text>[^\s/:@\"'<>]+)@"),
}

Hit = tuple[int | None, str]


class Rules:
    """The rules for one project.

    Args:
        project: the clone.
        main: the root of the main work tree, whose `.env` counts as well.

    Raises:
        ProjectError: `.secrets-allowed` has a line that cannot be read.
    """

    def __init__(self, project: Project, main: Path) -> None:
        self._allowed = _allowed(project.root / ".secrets-allowed")
        self._own = {
            value.encode(encoding, errors="replace"): name
            for name, value in _own_values([project.root, main], os.environ)
            if not self._is_allowed(value)
            for encoding in ("utf-8", "utf-16-le")
        }

    def is_content_allowed(self, content: str) -> bool:
        """Whether `.secrets-allowed` has the id that git gives this content."""
        return content in self._allowed

    def named_badly(self, path: str) -> str | None:
        """What is wrong with having a file of this name in git, if anything."""
        for value, name in self._own.items():
            if value in os.fsencode(path):
                return f"the value of {name} of this clone in its name"
        if CREDENTIALS.fullmatch(path):
            return "a file that is made to hold credentials"
        return None

    def shown(self, path: str) -> str:
        """`path` for a person: on one line, and without the secret, should it hold one."""
        for value in self._own:
            path = path.replace(os.fsdecode(value), "***")
        return path if path.isprintable() else repr(path)[1:-1]

    def notation(self, path: str) -> str:
        """What of a path decides how a content is read: the same content is read once for each."""
        pure = PurePosixPath(path)
        return "/".join(pure.parts[-2:]) if ".dvc" in pure.parts else pure.suffix.lower()

    def examine(self, path: str, pieces: Iterable[Piece]) -> list[Hit]:
        """Line and nature of everything in a content that must not be in git.

        Of a file that is no text, the beginning is read by all rules, and all of it is searched
        for this clone's own credentials.
        """
        hits: dict[Hit, None] = {}
        decode, is_text = None, True
        for number, piece in enumerate(pieces):
            if number == 0:
                decode, is_text = _decoder(piece.data)
            own = set(self._own_in(piece, is_text))
            hits |= dict.fromkeys(own)
            if is_text or number == 0:
                text = piece.data.decode(decode or "utf-8", errors="replace")
                taken = {line for line, _ in own}
                for hit in self._others_in(text, piece, path, taken):
                    hits[hit if is_text else (None, hit[1])] = None
        return list(hits)

    def _own_in(self, piece: Piece, is_text: bool) -> Iterator[Hit]:
        """This clone's own credentials, literally."""
        for value, name in self._own.items():
            at = piece.data.find(value)
            while at >= 0:
                line = piece.line + piece.data.count(b"\n", 0, at)
                yield (line if is_text else None), f"the value of {name} of this clone"
                at = piece.data.find(value, at + len(value))

    def _others_in(
        self, text: str, piece: Piece, path: str, taken: set[int | None]
    ) -> Iterator[Hit]:
        """Assignments and known forms, each line for one reason, but for lines in `taken`."""
        suspects, keys = list(_suspects(text, path)), _scanner().scan(text)
        lines = text.split("\n") if suspects or keys else []
        reported = set(taken)
        for what, value, start, end in suspects:
            first, last = text.count("\n", 0, start), text.count("\n", 0, end)
            if first + piece.line in taken or self._is_allowed(value):
                continue
            if not _has_comment(lines[first : last + 1]):
                reported.add(first + piece.line)
                yield first + piece.line, what
        for key in keys:
            place = key.location
            line = piece.line + place["line"] - 1
            if not key.visible or line in reported or self._is_allowed(key.secret):
                continue
            if not _has_comment(lines[place["line"] - 1 : place["end_line"]]):
                kind = re.split(r"[./]", key.rule_id, maxsplit=1)[-1]
                yield line, f"a key or token ({kind})"

    def _is_allowed(self, value: str) -> bool:
        """Whether `.secrets-allowed` has the SHA-256 of `value`."""
        return hashlib.sha256(value.encode(errors="replace")).hexdigest() in self._allowed


@cache
def _scanner() -> "Scanner":
    """Kingfisher's rules for keys and tokens; neither they nor it use the network.

    Compiling the rules takes seconds, so the outcome is kept beside the installed packages.

    Raises:
        MissingExtraError: it is not installed.
    """
    with extras.needed("secrets"):
        from kingfisher_sdk import Rules as Catalogue
        from kingfisher_sdk import Scanner
    if not os.access(sys.prefix, os.W_OK):
        return Scanner(Catalogue())  # its cache is in this user's own folder for caches
    folder = Path(sys.prefix) / "kingfisher"
    if not folder.is_dir():
        print("Preparing the scanner for secrets (once, a few seconds) ...", file=sys.stderr)
    return Scanner(Catalogue(cache_dir=folder))


def _suspects(text: str, path: str) -> Iterator[tuple[str, str, int, int]]:
    """Nature, value and place of what is given to a name of credentials, or has a known form."""
    for value in values.find(text, path):
        yield f"a value for {value.name}", value.text, value.start, value.end
    for what, pattern in SHAPES.items():
        for found in pattern.finditer(text):
            if not values.is_made_up(found["text"]):
                yield what, found["text"], found.start(), found.end()


def _decoder(data: bytes) -> tuple[str, bool]:
    """How to decode a content that begins with `data`, and whether it is text."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if data.startswith(mark):
            return encoding, True
    return "utf-8", b"\0" not in data[:8000]


def _has_comment(lines: list[str]) -> bool:
    """Whether one of these lines has the comment that allows it."""
    return any(ALLOW_LINE in line for line in lines)


def _own_values(roots: list[Path], environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Name and value of the credentials that this clone, or this person's environment, holds."""
    for name in OWN_NAMES:
        value = environment.get(name, "")
        if len(value) >= OWN_LENGTH and not values.is_made_up(value):
            yield name, value
    for root in dict.fromkeys(roots):
        for file in (".env", ".dvc/config.local"):
            path = root / file
            text = path.read_text("utf-8", errors="replace") if path.is_file() else ""
            for found in values.find(text, file):
                if len(found.text) >= OWN_LENGTH:
                    yield found.name, found.text


def _allowed(file: Path) -> set[str]:
    """What a project says is no secret: SHA-256 of values, and git's ids of whole files."""
    allowed = set()
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if not re.fullmatch(r"[0-9a-f]{64}|[0-9a-f]{40}", words[0]) or len(words) < 2:
            raise ProjectError(
                f"{file.name}, line {number}: write the SHA-256 of a value, or what "
                "`git hash-object FILE` prints for a whole file, and a reason after it."
            )
        allowed.add(words[0])
    return allowed
