"""`params.yaml` as typed, validated models: one section a stage."""

import re
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dvc_bucket.base.errors import StageError
from dvc_bucket.base.words import one_line


class Params(BaseModel):
    """Base of a model of one section of `params.yaml`.

    The section has the name of the class, in lower case with underscores: `class FitTrees` is the
    section `fit_trees`. Fields are those of pydantic. Unknown keys and wrong types are errors, and
    a model is immutable.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @classmethod
    def section_name(cls) -> str:
        """The name of the section."""
        return section_of(cls.__name__)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read this section from the parameter file `path` (YAML 1.2, as DVC reads it).

        Raises:
            StageError: the file or section is missing, or a key is missing, unknown, of the wrong
                type, or impossible. The message has one line per fault, with file and key.
        """
        section = cls.section_name()
        try:
            content = YAML(typ="safe", pure=True).load(path)
        except FileNotFoundError:
            raise StageError(f"{path}: the parameter file does not exist.") from None
        except YAMLError as error:
            raise StageError(f"{path} is not YAML: {one_line(error)}") from None
        if not isinstance(content, dict) or section not in content:
            raise StageError(f"{path}: the section '{section}' is missing.")
        try:
            return cls.model_validate(content[section])
        except ValidationError as error:
            faults = [
                f"{path}: {'.'.join([section, *map(str, fault['loc'])])}: {fault['msg']} "
                f"(found {fault['input']!r})."
                for fault in error.errors()
            ]
            raise StageError("\n".join(faults)) from None


def section_of(model: str) -> str:
    """The name of the section, from that of its model."""
    return re.sub(r"(?<=[^_A-Z])(?=[A-Z])", "_", model).lower()
