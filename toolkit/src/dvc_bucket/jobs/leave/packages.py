"""The lock file of a project without the toolkit and what only the toolkit needs."""

import importlib.metadata
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dvc_bucket.base import project_settings
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.lock_file import packages
from dvc_bucket.base.paths import Project
from dvc_bucket.base.toolkit import installed_version

TOOLKIT = "dvc-bucket"


@dataclass(frozen=True)
class PlainLock:
    """A lock file without the toolkit.

    Attributes:
        text: the file: the same pins and hashes as before.
        kept: names of the packages in it.
        left_out: names of those that only the toolkit needs, and itself.
    """

    text: str
    kept: list[str]
    left_out: list[str]

    @classmethod
    def of(cls, project: Project, lock_file: str) -> "PlainLock":
        """Take from the lock file what the project's own dependencies need.

        A package that is not installed here (one of another system) stays.

        Raises:
            ProjectError: the lock file cannot be read.
        """
        try:
            lock = (project.root / lock_file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ProjectError(
                f"{lock_file} cannot be read ({type(error).__name__}). Write it with `make lock`."
            ) from None
        needed, pins = _needed(_dependencies(project)), packages(lock)
        kept = {
            name: lines
            for name, lines in pins.items()
            if canonicalize_name(name) in needed
            or (name != TOOLKIT and not installed_version(name))
        }
        left_out = sorted({TOOLKIT, *pins} - kept.keys())
        return cls("".join(kept.values()), [*kept], left_out)


def _dependencies(project: Project) -> list[Requirement]:
    """What the project's pyproject.toml asks for, without the toolkit."""
    text = (project.root / project_settings.FILE).read_text(encoding="utf-8")
    table = project_settings.read_toml(text).get("project", {})
    optional = table.get("optional-dependencies", {}).values()
    texts = [*table.get("dependencies", []), *(line for lines in optional for line in lines)]
    requirements = (Requirement(text) for text in texts)
    return [one for one in requirements if canonicalize_name(one.name) != TOOLKIT]


def _needed(roots: list[Requirement]) -> set[str]:
    """Canonical names of `roots` and of all that they need, as installed here."""
    seen: set[tuple[str, str]] = set()
    waiting = [(canonicalize_name(one.name), extra) for one in roots for extra in ("", *one.extras)]
    while waiting:
        name, extra = entry = waiting.pop()
        if entry in seen or not installed_version(name):
            continue
        seen.add(entry)
        for text in importlib.metadata.requires(name) or []:
            need = Requirement(text)
            if need.marker is None or need.marker.evaluate({"extra": extra}):
                waiting += [(canonicalize_name(need.name), more) for more in ("", *need.extras)]
    return {name for name, _ in seen}
