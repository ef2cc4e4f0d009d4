"""YAML as DVC reads and writes it: what is not changed keeps its bytes."""

from typing import Any

from dvc_bucket.dvc.patched.differences import require
from dvc_bucket.dvc.patched.touch_points import WRITING_YAML


class NotYamlError(ValueError):
    """A text is not YAML. The message goes on after the name of the file, and has the line."""


def loaded(text: str) -> Any:
    """The content of a text, with its comments and formats.

    Raises:
        NotYamlError: it is not YAML.
        DvcDiffersError: this DVC reads it in another way.
    """
    require(WRITING_YAML)
    from dvc.utils.serialize import loads_yaml
    from ruamel.yaml.error import YAMLError

    try:
        return loads_yaml(text, typ="rt")
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise NotYamlError(f"{line}: this is not YAML.") from None


def is_lock_file(content: Any) -> bool:
    """Whether DVC accepts a content as that of a `dvc.lock`.

    Raises:
        DvcDiffersError: this DVC accepts it in another way.
    """
    require(WRITING_YAML)
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA
    from voluptuous import Invalid

    try:
        COMPILED_LOCKFILE_SCHEMA(content)
    except Invalid:
        return False
    return True


def dumped(content: Any) -> str:
    """The text of a content, as DVC formats it.

    Raises:
        DvcDiffersError: this DVC writes it in another way.
    """
    require(WRITING_YAML)
    from dvc.utils.serialize import dumps_yaml

    text: str = dumps_yaml(content)
    return text
