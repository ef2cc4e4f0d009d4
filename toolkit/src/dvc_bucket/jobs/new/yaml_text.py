"""Add an entry to a YAML file: every other byte stays as it is."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from dvc_bucket.base.errors import NewError
from dvc_bucket.dvc.patched import yaml


def mapping(text: str, name: str) -> Any:
    """The content of a YAML file, with the places of its keys; of an empty one, no keys.

    Raises:
        NewError: it is not YAML, or no mapping.
    """
    try:
        content = yaml.loaded(text)
    except yaml.NotYamlError as error:
        raise NewError(f"{name}{error} Fix it first.") from None
    if content is None:
        content = yaml.loaded("{}")
    if not isinstance(content, Mapping):
        raise NewError(f"{name} does not consist of lines `name: value`. Fix it first.")
    return content


def with_entry(text: str, name: str, section: str | None, entry: str) -> str:
    """The text of a YAML file with one more entry.

    Args:
        text: of the file; may be empty.
        name: of the file, for messages.
        section: key at the top, to whose mapping the entry is added; None for the top itself.
        entry: a key and its value as YAML, at the left margin.

    Raises:
        NewError: the file is not YAML, or its section is no mapping.
    """
    content = mapping(text, name)
    wanted = deepcopy(content)
    place = wanted if section is None else wanted.setdefault(section, yaml.loaded("{}"))
    if place is None:
        place = wanted[section] = yaml.loaded("{}")
    if not isinstance(place, Mapping):
        raise NewError(f"{name}: `{section}` is not a mapping. Fix it first.")
    place |= yaml.loaded(entry)
    inserted = _inserted(text, content, section, entry)
    try:
        if yaml.loaded(inserted) == wanted:
            return inserted
    except yaml.NotYamlError:
        pass  # a mapping in braces, say
    return yaml.dumped(wanted)


def _inserted(text: str, content: Any, section: str | None, entry: str) -> str:
    """The text with the lines of an entry at the end of its section."""
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    if section is not None and section not in content:
        lines += [*(["\n"] if lines else []), f"{section}:\n"]
        return "".join([*lines, *_indented(entry, 2)])
    begin, end = 0, len(lines)
    inside = content
    if section is not None:
        begin = content.lc.key(section)[0]
        starts = [content.lc.key(key)[0] for key in content]
        end = min((line for line in starts if line > begin), default=end)
        inside = content[section] or {}
    # Comments at the margin belong to what follows.
    while end > begin + 1 and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
        end -= 1
    first = next(iter(inside), None)
    indent = (0 if section is None else 2) if first is None else inside.lc.key(first)[1]
    has_gaps = len(inside) == 1 or any(not line.strip() for line in lines[begin:end])
    gap = ["\n"] if inside and has_gaps else []
    return "".join([*lines[:end], *gap, *_indented(entry, indent), *lines[end:]])


def _indented(entry: str, columns: int) -> list[str]:
    return [" " * columns + line for line in entry.splitlines(keepends=True)]
