"""Models of pydantic, built without its plugins.

To find plugins, pydantic reads the metadata of all installed packages, which takes 15 ms of each
command.
"""

import os
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)

#: Disables pydantic's plugins. Source: pydantic's documentation, "Plugins".
VARIABLE = "PYDANTIC_DISABLE_PLUGINS"


class _WithoutPlugins(ModelMetaclass):
    """Builds the classes of models."""

    def __new__(cls, *arguments: Any, **named: Any) -> Any:
        before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = "1"
        try:
            return super().__new__(cls, *arguments, **named)
        finally:
            del os.environ[VARIABLE]
            if before is not None:
                os.environ[VARIABLE] = before


class Model(BaseModel, metaclass=_WithoutPlugins):
    """The base class of models, in the place of `pydantic.BaseModel`."""
