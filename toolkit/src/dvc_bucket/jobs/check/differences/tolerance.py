"""Tolerances: outputs that are numerically, not bitwise, reproducible.

A YAML file: by path of an output, or of a file in one, or a pattern of such paths, how far numbers
may be from the recorded ones; `columns` of tables and `keys` of JSON or YAML have limits of their
own.

    reports/metrics.json:
      relative: 1.0e-9
      keys:
        auc.weather: {absolute: 0.001}
"""

from collections.abc import Collection
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dvc_bucket.base.errors import CheckError
from dvc_bucket.base.words import one_line


class Limit(BaseModel):
    """Largest distance of a number from the recorded one: the sum of both, as numpy's `isclose`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    #: In the unit of the number.
    absolute: float = Field(default=0.0, ge=0)
    #: Times the recorded number.
    relative: float = Field(default=0.0, ge=0)

    @property
    def is_exact(self) -> bool:
        """Whether it lets nothing pass."""
        return not (self.absolute or self.relative)

    def allows(self, recorded: float, found: float) -> bool:
        """Whether a number is near enough."""
        return abs(found - recorded) <= self.absolute + self.relative * abs(recorded)


class Limits(Limit):
    """The limit of an output, and those of its columns or keys, which stand in its place."""

    columns: dict[str, Limit] = Field(default_factory=dict)
    keys: dict[str, Limit] = Field(default_factory=dict)

    def of(self, name: str) -> Limit:
        """The limit of a column, or of a key, or of the nearest key around it."""
        if name in self.columns:
            return self.columns[name]
        parts = name.split(".")
        for length in range(len(parts), 0, -1):
            if (key := ".".join(parts[:length])) in self.keys:
                return self.keys[key]
        return self


EXACT = Limits()


class Tolerance(RootModel[dict[str, Limits]]):
    """Limits by pattern of paths; the first pattern that fits counts."""

    root: dict[str, Limits] = Field(default_factory=dict)

    def of(self, path: str) -> Limits:
        """The limits of a file, from the project's root."""
        for pattern, limits in self.root.items():
            if _fits(path, pattern):
                return limits
        return EXACT

    def unused(self, paths: Collection[str]) -> list[str]:
        """Patterns that fit none of the outputs and lie in none of them."""
        return [
            pattern
            for pattern in self.root
            if not any(_fits(path, pattern) or pattern.startswith(f"{path}/") for path in paths)
        ]

    @classmethod
    def read(cls, file: Path) -> "Tolerance":
        """Read a file of them.

        Raises:
            CheckError: it is missing, no YAML, or says what it cannot say.
        """
        try:
            content: Any = YAML(typ="safe", pure=True).load(file)
            return cls.model_validate(content)
        except OSError as error:
            raise CheckError(f"--tolerance {file}: {error.strerror}.") from None
        except YAMLError as error:
            raise CheckError(f"--tolerance {file} is not YAML: {one_line(error)}.") from None
        except ValidationError as error:
            first = error.errors()[0]
            place = ": ".join(map(str, first["loc"])) or "the whole"
            raise CheckError(
                f"--tolerance {file}: {place}: {first['msg']}. By path of an output it has "
                "`absolute`, `relative`, and of `columns` or `keys` the same."
            ) from None


def _fits(path: str, pattern: str) -> bool:
    """Whether a file is one of a pattern, or in a directory that is."""
    return fnmatchcase(path, pattern) or path.startswith(f"{pattern.rstrip('/')}/")
