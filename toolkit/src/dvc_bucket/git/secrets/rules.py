"""What must not be in git: the rules for the content, and for the name, of one file."""

import base64
import codecs
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.git.secrets import kingfisher

#: A comment that allows its line.
ALLOW_LINE = b"pragma: allowlist secret"

#: Variables of the environment whose values are this person's own.
OWN_NAMES = [
    f"{owner}_{kind}"
    for owner in ("OS", "AWS")
    for kind in ("SECRET_ACCESS_KEY", "ACCESS_KEY_ID", "SESSION_TOKEN")
]

#: A shorter value occurs by chance.
MIN_OWN_LENGTH = 8

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

#: Marks of text in UTF-16 and UTF-32, which has zero bytes as a binary file has.
BYTE_ORDER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)

#: The beginning of a binary file, which the rules for text read.
BINARY_BYTES = 1024 * 1024

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
            written: name
            for name, value in _own_values([project.root, main], os.environ)
            if not self._is_allowed(value)
            for written in _spellings(value)
        }

    def is_content_allowed(self, content: str) -> bool:
        """Whether `.secrets-allowed` has the id that git gives this content."""
        return content in self._allowed

    def fault_of_name(self, path: str) -> str | None:
        """Why git must not have a file of this name; None if it may."""
        for value, name in self._own.items():
            if value in os.fsencode(path):
                return f"the value of {name} of this clone in its name"
        if CREDENTIALS.fullmatch(path):
            return "a file type that holds credentials"
        return None

    def shown(self, path: str) -> str:
        """`path` on one line, without a credential of this clone."""
        for value in self._own:
            path = path.replace(os.fsdecode(value), "***")
        return path if path.isprintable() else repr(path)[1:-1]

    def notation(self, path: str) -> str:
        """The part of a path that decides how a content is read."""
        pure = PurePosixPath(path)
        suffix = pure.suffix.lower()
        is_named = ".dvc" in pure.parts or suffix in {".yaml", ".yml"}
        return "/".join(pure.parts[-2:]) if is_named else suffix

    def examine(self, path: str, content: bytes) -> list[Hit]:
        """Line and nature of everything in a content that must not be in git.

        A binary file is searched for this clone's own credentials; the other rules read its
        beginning, and its findings have no line.
        """
        is_text = b"\0" not in content[:8000] or content.startswith(BYTE_ORDER_MARKS)
        own = list(self._own_in(content))
        others = self._others_in(path, content if is_text else content[:BINARY_BYTES], own)
        hits = [*own, *others]
        return list(dict.fromkeys(hits if is_text else ((None, what) for _, what in hits)))

    def _own_in(self, content: bytes) -> Iterator[Hit]:
        """This clone's own credentials, literally, also where a line break is in one."""
        unwrapped = content.replace(b"\r", b"").replace(b"\n", b"")
        for value, name in self._own.items():
            what = f"the value of {name} of this clone"
            if value in content:
                for match in re.finditer(re.escape(value), content):
                    yield 1 + content.count(b"\n", 0, match.start()), what
            elif value in unwrapped:
                yield None, what

    def _others_in(self, path: str, content: bytes, own: list[Hit]) -> Iterator[Hit]:
        """Values in a known notation, and keys and tokens on other lines than those."""
        matches = list(kingfisher.matches(path, content))
        lines = content.replace(b"\0", b"").split(b"\n") if matches else []
        own_lines = {line for line, _ in own}
        named = set(own_lines)
        for match in matches:
            is_reported = match.first in (named if match.is_key else own_lines)
            is_allowed = any(ALLOW_LINE in text for text in lines[match.first - 1 : match.last])
            if is_reported or is_allowed or self._is_allowed(match.value):
                continue
            if not match.is_key:
                named.add(match.first)
            yield match.first, match.what

    def _is_allowed(self, value: str) -> bool:
        """Whether `.secrets-allowed` has the SHA-256 of `value`."""
        return hashlib.sha256(value.encode(errors="replace")).hexdigest() in self._allowed


def _spellings(value: str) -> Iterator[bytes]:
    """The bytes of a value: as text in each encoding, and in Base64 behind anything else."""
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
        yield value.encode(encoding, errors="replace")
    data = value.encode(errors="replace")
    for before in range(3):
        text = base64.b64encode(bytes(before) + data).rstrip(b"=")
        # What the bytes before and after share with the value is not of the value alone.
        whole = (before + len(data)) % 3 == 0
        yield text[(0, 2, 3)[before] : None if whole else -1]


def _own_values(roots: list[Path], environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Name and value of the credentials that this clone, or this person's environment, holds."""
    lines = [f"{name}={environment[name]}" for name in OWN_NAMES if name in environment]
    texts = [(".env", "\n".join(lines).encode(errors="replace"))]
    for root in dict.fromkeys(roots):
        for name in (".env", ".dvc/config.local"):
            if (root / name).is_file():
                texts.append((name, (root / name).read_bytes()))
    for path, text in texts:
        for match in kingfisher.values(path, text):
            if match.name and len(match.value) >= MIN_OWN_LENGTH:
                yield match.name, match.value


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
                f"{file.name}, line {number}: write the SHA-256 of a value, or the output of `git "
                "hash-object FILE` for a whole file, followed by a reason."
            )
        allowed.add(words[0])
    return allowed
