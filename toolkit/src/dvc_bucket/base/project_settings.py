"""What the toolkit must know of a project and DVC does not say: `[tool.dvc-bucket]`.

The table is in `pyproject.toml`. Every key has a default, so a project needs no table.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_snake

from dvc_bucket.base import safe_paths
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.models import Model
from dvc_bucket.base.paths import Project

FILE, TABLE = "pyproject.toml", "dvc-bucket"

#: How messages name the table.
WHERE = f"{FILE}, [tool.{TABLE}]"

#: What a key takes that takes no path.
WANTED = {
    "jobs": "a positive number of stages",
    "packages": "a list of paths from the project's root",
}


def _inside(path: str) -> str:
    """A path from the project's root, without a slash at its end."""
    path = path.removesuffix("/")
    if fault := safe_paths.fault(path):
        raise ValueError(f"is {path!r}, which is not allowed: {fault}")
    return path


ProjectPath = Annotated[str, AfterValidator(_inside)]


#: The beginning of the names of variables.
PREFIX = r"[A-Z][A-Z0-9_]*"


class OtherProject(Model):
    """Whose keys open the data of another project: one of these, which are no secrets.

    Attributes:
        prefix: of variables, as `OTHER` for `OTHER_OS_ACCESS_KEY_ID` and its kin.
        profile: a section of the person's AWS files.
        anonymous: no keys.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    prefix: str = Field(default="", pattern=f"^{PREFIX}$")
    profile: str = Field(default="", min_length=1)
    anonymous: bool = False

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len([value for value in (self.prefix, self.profile, self.anonymous) if value]) != 1:
            raise ValueError("is not one of prefix, profile and anonymous = true")
        return self


class ProjectSettings(Model):
    """The table. All paths are from the project's root; in the file, keys have hyphens.

    Attributes:
        data_page: Markdown page that names endpoint, bucket and remote, and whose table of datasets
            has their licences. Paths in that table are from the page's folder.
        license_file: the text of the licence, whose holder is "The NAME contributors".
        jobs: how many stages `bucket repro` runs at once, if no option says it.
        lock_file: the packages, in pip's format with hashes.
        packages: folders whose code counts as installed packages: a stage need not declare it.
        sources: whose keys open the data of other projects, by the URL of their repository.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=lambda name: name.replace("_", "-")
    )

    data_page: ProjectPath = "data/README.md"
    jobs: Annotated[int, Field(ge=1, strict=True)] = 1
    license_file: ProjectPath = "LICENSE"
    lock_file: ProjectPath = "requirements.lock"
    packages: tuple[ProjectPath, ...] = ()
    sources: Mapping[str, OtherProject] = {}

    def is_set(self, field: str) -> bool:
        """Whether the table has a key, so that its file is expected to be there."""
        return field in self.model_fields_set

    def paths(self) -> Iterator[tuple[str, str]]:
        """Key and path of all that the table sets."""
        for field in sorted(self.model_fields_set - {"sources"}):
            value = getattr(self, field)
            if isinstance(value, int):
                continue
            for path in (value,) if isinstance(value, str) else value:
                yield field.replace("_", "-"), path


def of(project: Project) -> ProjectSettings:
    """The settings of a checkout: the defaults if it has no table, or no `pyproject.toml`.

    Raises:
        ProjectError: the file cannot be read, a key is unknown or has a wrong value, or a path
            leads out of the project.
    """
    try:
        text = (project.root / FILE).read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ProjectSettings()
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(
            f"{FILE} cannot be read ({type(error).__name__}). "
            f"Restore it with `git checkout {FILE}`."
        ) from None
    settings, root = parse(text), project.root.resolve()
    for key, path in settings.paths():
        if not (real := (root / path).resolve()).is_relative_to(root):
            raise ProjectError(
                f"{WHERE}, {key}: {path!r} is a link to {real}, outside the project. Name a file "
                "inside the project."
            )
    return settings


@cache
def parse(text: str) -> ProjectSettings:
    """The settings in the text of a `pyproject.toml`, such as that of a commit.

    Raises:
        ProjectError: it is not TOML, a key is unknown or has a wrong value.
    """
    tool = read_toml(text).get("tool", {})
    table = tool.get(TABLE, {}) if isinstance(tool, Mapping) else tool
    try:
        return ProjectSettings.model_validate(table)
    except ValidationError as error:
        raise ProjectError(_sentence(error)) from None


def read_toml(text: str) -> Mapping[str, Any]:
    """All of a `pyproject.toml`.

    Raises:
        ProjectError: it is not TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProjectError(f"{FILE} is not TOML: {error}.") from None


def _sentence(error: ValidationError) -> str:
    """The first fault: file, key, what was found, what to write."""
    first = error.errors(include_url=False)[0]
    if not first["loc"]:
        return f"{WHERE} is not a table. Write the keys below the line [tool.{TABLE}]."
    key = str(first["loc"][0])
    if key == "sources":
        return (
            f"{WHERE}, sources: {'.'.join(map(str, first['loc'][1:2]))} wants one of {{ prefix = "
            '"NAME" }, { profile = "name" } and { anonymous = true }; a prefix consists of '
            "A-Z, 0-9 and _."
        )
    if first["type"] == "extra_forbidden":
        keys = ", ".join(sorted(name.replace("_", "-") for name in ProjectSettings.model_fields))
        return f"{WHERE}: unknown key {key}. The keys are {keys}."
    if first["type"] == "value_error":
        return f"{WHERE}, {key} {first['ctx']['error']}. Write a path from the project's root."
    wanted = WANTED.get(to_snake(key), "a path from the project's root")
    return f"{WHERE}, {key} is {first['input']!r}. Write {wanted}."
