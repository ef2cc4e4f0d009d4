"""Writes what DVC records of a stage as DVC formats it, thirty times as fast.

DVC formats every entry twice, for `dvc.lock` and for its run cache, which is a quarter of what it
costs to record a stage. Most entries have nothing that YAML would quote, fold or name: mappings and
lists of plain words and numbers. Anything else is left to DVC.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dvc_bucket.dvc.patched.replacement import replacement

#: Lines of more characters are folded: ruamel.yaml's default.
WIDTH = 80

#: A key: a name, a path. YAML marks one of 128 characters.
KEY = re.compile(r"[A-Za-z_][\w./@-]{0,99}", re.ASCII)

#: A text that is no other kind of value and has none of YAML's marks where they mean something.
TEXT = re.compile(r"[A-Za-z_/][!-\"$-9;-~]*(?: [!-\"$-9;-~]+)*")

#: A hash that has a digit which no number has; the version of a package.
HASH = re.compile(r"[0-9a-f]*[acdf][0-9a-f]*(?:\.dir)?")
VERSION = re.compile(r"\d+(?:\.\d+){2,}", re.ASCII)

#: A number as Python and YAML write it alike. A text like it is quoted.
DECIMAL = re.compile(r"-?\d+\.\d+", re.ASCII)

#: Texts that YAML 1.1 or 1.2 takes for a truth value or for nothing (yaml.org/type).
WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})

#: Kinds of mappings: exactly these. One that was read has comments and formats.
MAPPINGS = (dict, OrderedDict)


class _OddError(Exception):
    """Something that DVC may write in another way."""


@replacement
def dump(original: Callable[..., Any], data: Any, stream: Any) -> Any:
    """DVC's function that writes a content as YAML to a stream."""
    try:
        lines = _whole(data)
    except _OddError:
        return original(data, stream)
    stream.write("".join(f"{line}\n" for line in lines))
    return None


def _whole(data: Any) -> list[str]:
    """The lines of a content.

    Raises:
        _OddError: it is not plain.
    """
    if type(data) not in MAPPINGS or not data:
        raise _OddError
    return [*_mapping(data, "", set())]


def _mapping(content: Mapping[Any, Any], margin: str, seen: set[int]) -> Iterable[str]:
    for key, value in _once(content, seen).items():
        if type(key) is not str or not KEY.fullmatch(key) or key.lower() in WORDS:
            raise _OddError
        if type(value) in MAPPINGS and value:
            yield f"{margin}{key}:"
            yield from _mapping(value, f"{margin}  ", seen)
        elif type(value) is list and value:
            yield f"{margin}{key}:"
            yield from _list(value, margin, seen)
        else:
            yield from _folded(f"{margin}{key}: ", _scalar(value), f"{margin}  ")


def _list(items: list[Any], margin: str, seen: set[int]) -> Iterable[str]:
    for item in _once(items, seen):
        if type(item) in MAPPINGS and item:
            first, *rest = _mapping(item, f"{margin}  ", seen)
            yield f"{margin}- {first.lstrip()}"
            yield from rest
        else:
            yield from _folded(f"{margin}- ", _scalar(item), f"{margin}  ")


def _folded(line: str, text: str, margin: str) -> Iterable[str]:
    """The line with a text behind it, folded where ruamel.yaml does it (`Emitter.write_plain`).

    It folds at a blank behind the width, and before a word that would go beyond it; there the blank
    stays at the end of the line.
    """
    is_quoted = text.startswith("'")
    for number, word in enumerate(text.split(" ")):
        if number and len(line) >= WIDTH:
            yield line
            line = margin
        elif number:
            line += " "
        if len(line) + len(word) > WIDTH and len(line) > len(margin) and not is_quoted:
            yield line
            line = margin
        line += word
    yield line


def _once(content: Any, seen: set[int]) -> Any:
    """The content; YAML gives one that stands in two places a name."""
    if id(content) in seen:
        raise _OddError
    seen.add(id(content))
    return content


def _scalar(value: Any) -> str:
    if type(value) is str:
        return _text(value)
    if type(value) is bool:
        return "true" if value else "false"
    text = repr(value)
    if type(value) is int or (type(value) is float and DECIMAL.fullmatch(text)):
        return text
    raise _OddError


def _text(text: str) -> str:
    if DECIMAL.fullmatch(text):
        return f"'{text}'"
    is_plain = TEXT.fullmatch(text) and text.lower() not in WORDS
    if is_plain or HASH.fullmatch(text) or VERSION.fullmatch(text):
        return text
    raise _OddError
