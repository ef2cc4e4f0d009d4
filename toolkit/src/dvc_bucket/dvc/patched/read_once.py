"""Has DVC parse and check a text once in a process: a command reads each file several times.

A file of many commits has the same text in most of them, too. Each reader gets values of its own.
To check a dvc.yaml, DVC prepares the schema of a stage for each stage again; here, once.
"""

import functools
import pickle
from collections.abc import Callable
from typing import Any

from dvc_bucket.dvc.patched.differences import different
from dvc_bucket.dvc.patched.touch_points import READING_YAML

#: Characters of the texts that are kept at most: a lock file of 1,000 stages has half a million.
MAX_KEPT = 20_000_000


def read_once() -> None:
    """Have DVC of this process parse and check a text once, if it is as the tested one."""
    if different(READING_YAML):
        return
    from dvc import schema
    from dvc.utils import strictyaml

    if not isinstance(schema.vol, _PreparedOnce):
        strictyaml.parse_yaml = parsing(strictyaml.parse_yaml)
        strictyaml.validate = validating(strictyaml.validate)
        schema.vol = _PreparedOnce(schema.vol)


def parsing(parse: Callable[..., Any]) -> Callable[..., Any]:
    """DVC's `parse_yaml` that remembers, but for a caller that wants comments (`rt`)."""
    kept: dict[str, bytes] = {}

    @functools.wraps(parse)
    def parse_yaml(text: str, path: str, typ: str = "safe") -> Any:
        if typ != "safe":
            return parse(text, path, typ)
        if text in kept:
            return pickle.loads(kept[text])  # noqa: S301 (made below)
        content = parse(text, path)
        if sum(map(len, kept)) + len(text) <= MAX_KEPT:
            kept[text] = pickle.dumps(content)
        return content

    return parse_yaml


def validating(validate: Callable[..., Any]) -> Callable[..., Any]:
    """DVC's `validate` that remembers the texts that were right, by schema."""
    right: dict[int, set[str]] = {}

    @functools.wraps(validate)
    def check(data: Any, schema: Any, text: str | None = None, **named: Any) -> Any:
        found = right.setdefault(id(schema), set())
        if text is None or text not in found:
            data = validate(data, schema, text=text, **named)
        if text is not None:
            found.add(text)
        return data

    return check


class _PreparedOnce:
    """The library of DVC's schemas, that prepares each definition once.

    Args:
        library: voluptuous.
    """

    def __init__(self, library: Any) -> None:
        self._library = library
        self._prepared: dict[int, tuple[Any, Any]] = {}  # the definition stays, and so its id

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)

    def Schema(self, definition: Any) -> Any:  # noqa: N802 (as the library calls it)
        """What checks data against a definition."""
        if id(definition) not in self._prepared:
            self._prepared[id(definition)] = (definition, self._library.Schema(definition))
        return self._prepared[id(definition)][1]
