"""YAML files of a commit, read as DVC reads its own."""

from collections.abc import Mapping
from typing import Any

from dvc_bucket.base.errors import ProjectError


def mapping(text: str, name: str) -> Mapping[str, Any]:
    """The content of a file whose top is a mapping; nothing for an empty one.

    Raises:
        ProjectError: it is no YAML, or something else.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        found = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise ProjectError(f"{name}{line}: this is not YAML.") from None
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise ProjectError(f"{name} does not say `name: value` at its top.")
    return found
