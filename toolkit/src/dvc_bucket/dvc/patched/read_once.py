"""Makes DVC parse and validate each text once in a process.

A DVC command reads its files several times, and most commits have the same files. Each reader gets
its own copy of the content. DVC also compiles the schema of a stage again for each stage of a
dvc.yaml; here it is compiled once.
"""

import functools
import pickle
from collections.abc import Callable
from typing import Any

from dvc_bucket.dvc.patched import plain_lines
from dvc_bucket.dvc.patched.differences import different
from dvc_bucket.dvc.patched.touch_points import READING_YAML

#: Maximum number of characters in all kept texts. A lock file of 1,000 stages has half a million.
MAX_KEPT = 20_000_000


def read_once() -> None:
    """Replace DVC's functions in this process, if they are those that were tested."""
    if different(READING_YAML):
        return
    from dvc import schema
    from dvc.utils import strictyaml

    if not isinstance(schema.vol, _PreparedOnce):
        strictyaml.parse_yaml = parsing(strictyaml.parse_yaml)
        strictyaml.validate = validating(strictyaml.validate)
        schema.vol = _PreparedOnce(schema.vol)


def parsing(parse: Callable[..., Any]) -> Callable[..., Any]:
    """DVC's `parse_yaml` with a memory, except for readers that need the comments (`rt`)."""
    kept: dict[str, bytes] = {}

    @functools.wraps(parse)
    def parse_yaml(text: str, path: str, typ: str = "safe") -> Any:
        if typ != "safe":
            return parse(text, path, typ)
        if text in kept:
            return pickle.loads(kept[text])  # noqa: S301 (made below)
        content = plain_lines.read(text) or parse(text, path)
        if sum(map(len, kept)) + len(text) <= MAX_KEPT:
            kept[text] = pickle.dumps(content)
        return content

    return parse_yaml


def validating(validate: Callable[..., Any]) -> Callable[..., Any]:
    """DVC's `validate` with a memory of valid texts, by schema."""
    right: dict[int, set[str]] = {}

    @functools.wraps(validate)
    def check(data: Any, schema: Any, text: str | None = None, **named: Any) -> Any:
        texts = right.setdefault(id(schema), set())
        if text is None or text not in texts:
            data = validate(data, schema, text=text, **named)
        if text is not None:
            texts.add(text)
        return data

    return check


class _PreparedOnce:
    """The library of DVC's schemas, which compiles each definition once.

    Args:
        library: voluptuous.
    """

    def __init__(self, library: Any) -> None:
        self._library = library
        self._prepared: dict[
            int, tuple[Any, Any]
        ] = {}  # with the definition, so that no other gets its id

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)

    def Schema(self, definition: Any) -> Any:  # noqa: N802 (the library's name)
        """A compiled definition."""
        if id(definition) not in self._prepared:
            self._prepared[id(definition)] = (definition, self._library.Schema(definition))
        return self._prepared[id(definition)][1]
