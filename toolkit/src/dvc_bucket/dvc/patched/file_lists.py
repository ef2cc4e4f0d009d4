"""The list of a directory's files, read without an object for each file.

DVC makes four objects of each line, of 600 bytes together, and reads a list up to six times in a
pull. Here a list is one text, out of which the lines come one after the other. A list that is not
written as DVC 3 writes it is left to DVC. Source: `Tree.as_bytes` in dvc-data.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from dvc_bucket.base import safe_paths
from dvc_bucket.base.errors import UnsafePathError

#: A line: the MD5 of a file, and its path as JSON.
LINE = re.compile(r'\{"md5": "([0-9a-f]{32})", "relpath": ("(?:[^"\\\x00-\x1f]|\\.)*")\}')

#: A name that no file of a list has: who wants it of a directory wants all of the directory.
ANY = "\0"

#: Between two lines.
BETWEEN = ", "


class OtherFormError(ValueError):
    """A list is not as DVC 3 writes it."""


def read(odbs: Sequence[Any], oid: str) -> str:
    """The text of a list, from the first store of objects that has it.

    Raises:
        FileNotFoundError: none has it.
        OtherFormError: it is no text.
    """
    for odb in odbs:
        try:
            with odb.fs.open(odb.oid_to_path(oid), "r", encoding="utf-8") as file:
                return str(file.read())
        except FileNotFoundError:
            continue
        except UnicodeDecodeError as error:
            raise OtherFormError(str(error)) from None
    raise FileNotFoundError(oid)


def written(lines: Iterable[tuple[str, str]]) -> bytes:
    """The list of some files, as DVC writes it.

    Args:
        lines: path and MD5 of each, in the order of the paths.
    """
    texts = (f'{{"md5": "{md5}", "relpath": {quoted(path)}}}' for path, md5 in lines)
    return f"[{BETWEEN.join(texts)}]".encode()


def hashes(text: str) -> Iterator[str]:
    """The MD5 of each file.

    Raises:
        OtherFormError: at the first line that has another form.
    """
    return (line[1] for line in _lines(text))


def files(text: str) -> Iterator[tuple[str, str]]:
    """The path of each file, which is one below the directory, and its MD5.

    Raises:
        OtherFormError: at the first line that has another form or an unsafe path.
    """
    for line in _lines(text):
        try:
            path = line[2][1:-1] if "\\" not in line[2] else _unescaped(line[2])
            safe_paths.check(path)
        except (UnsafePathError, ValueError) as error:
            raise OtherFormError(str(error)) from None
        yield path, line[1]


def number(text: str) -> int:
    """Number of files.

    Raises:
        OtherFormError: as `files` does; or they are not in order, or one has the path of another,
            or that of a folder in which another is.
    """
    found, last, beginnings = 0, "", list[str]()
    for path, _ in files(text):
        while beginnings and not path.startswith(beginnings[-1]):
            beginnings.pop()
        if path <= last or any(path[len(file)] == "/" for file in beginnings):
            raise OtherFormError(path)
        beginnings.append(path)
        last, found = path, found + 1
    return found


def _unescaped(path: str) -> str:
    """A path that JSON has with escapes.

    Raises:
        ValueError: it is no JSON, or no text that can be encoded.
    """
    plain: str = json.loads(path)
    plain.encode()
    return plain


def _lines(text: str) -> Iterator[re.Match[str]]:
    at, end = 1, len(text) - 1
    if text[:1] + text[-1:] != "[]":
        raise OtherFormError(text[:1])
    while at < end:
        line = LINE.match(text, at)
        if line is None:
            raise OtherFormError(text[at : at + 100])
        yield line
        at = line.end()
        if at < end:
            if not text.startswith(BETWEEN, at):
                raise OtherFormError(text[at : at + 100])
            at += len(BETWEEN)
