"""YAML as DVC reads and writes it: what is not changed keeps its bytes."""

from typing import Any

from dvc_bucket.dvc.patched.differences import require
from dvc_bucket.dvc.patched.touch_points import WRITING_YAML


def loaded(text: str) -> Any:
    """The content of a text, with its comments and formats.

    Raises:
        YAMLError: of ruamel.yaml; it is not YAML.
        DvcDiffersError: this DVC reads it in another way.
    """
    require(WRITING_YAML)
    from dvc.utils.serialize import loads_yaml

    return loads_yaml(text, typ="rt")


def dumped(content: Any) -> str:
    """The text of a content, as DVC formats it.

    Raises:
        DvcDiffersError: this DVC writes it in another way.
    """
    require(WRITING_YAML)
    from dvc.utils.serialize import dumps_yaml

    text: str = dumps_yaml(content)
    return text
