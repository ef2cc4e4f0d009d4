"""Models of pydantic that no plugin of pydantic changes.

To look for plugins, pydantic reads what every installed package says of itself: 15 ms of each
command, for something that settings have no use for.
"""

import os
from typing import Any

from pydantic import BaseModel

#: What has pydantic look for none. Source: pydantic's documentation, "Plugins".
VARIABLE = "PYDANTIC_DISABLE_PLUGINS"


class _WithoutPlugins(type(BaseModel)):  # type: ignore[misc] # pydantic has no name for it
    """Makes the classes of models."""

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
    """What a model is a subclass of, instead of `pydantic.BaseModel`."""
