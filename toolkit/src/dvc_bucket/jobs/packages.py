"""A package that a project asks for, added to its `pyproject.toml`: half of `make add`."""

import tomlkit
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from tomlkit.exceptions import TOMLKitError

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.files import write_whole
from dvc_bucket.base.paths import Project
from dvc_bucket.base.project_settings import FILE


def add_package(project: Project, wanted: str) -> None:
    """Add a requirement to `[project] dependencies`; comments and order stay.

    Args:
        project: the clone.
        wanted: name and range of versions, as PEP 508 writes them: `scipy>=1.14`. The same
            requirement once more changes nothing.

    Raises:
        ProjectError: it is no requirement, or the file asks for another version already.
    """
    requirement = _requirement(wanted)
    path = project.root / FILE
    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8"))
        dependencies = document["project"]["dependencies"]
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise ProjectError(f"{FILE} has no [project] with dependencies: {error}.") from None
    for line in map(str, dependencies):
        if canonicalize_name(_requirement(line).name) == canonicalize_name(requirement.name):
            if _requirement(line) == requirement:
                return
            raise ProjectError(f"{FILE} already has {line!r}. Change that line, then: make lock")
    dependencies.add_line(str(requirement), indent="    ")
    write_whole(path, tomlkit.dumps(document))


def _requirement(text: str) -> Requirement:
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        raise ProjectError(
            f"{text!r} is not a package name. Give a name with or without a version range: "
            '"scipy>=1.14"'
        ) from None
    if requirement.url:
        raise ProjectError(f"{text!r} is an address. Give a name from the package registry.")
    return requirement
