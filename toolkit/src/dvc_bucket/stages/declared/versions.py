"""`packages.yaml` against dvc.yaml and the lock file: which packages it has, and which versions."""

from collections.abc import Iterator

from dvc_bucket.base import packages, project_settings
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.files import all_written
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.snapshot import Snapshot
from dvc_bucket.stages.declared.packages import named


def names(snapshot: Snapshot) -> list[str]:
    """The packages that stages name, in order."""
    return sorted({name for stage in snapshot.stages for name in named(stage)})


def wanted(project: Project, snapshot: Snapshot) -> dict[str, str]:
    """What packages.yaml should have: version by name.

    Raises:
        ProjectError: there is no lock file, or it does not pin a package that a stage names.
    """
    found = names(snapshot)
    versions = packages.locked(project, found) if found else {}
    if missing := [name for name in found if name not in versions]:
        file, name = project_settings.of(project).lock_file, missing[0]
        raise ProjectError(
            f"{file} pins no version of {name}, which a stage names in dvc.yaml. Add the package "
            f"(make add PACKAGE={name}), or remove it from the params."
        )
    return versions


def write(project: Project) -> bool:
    """Write packages.yaml from the lock file; whether there was anything to write.

    In a project whose stages name no package, only a file that is there is written.

    Raises:
        ProjectError: as `wanted`; or DVC cannot read the project. The file is as it was then.
    """
    try:
        packages.read(project)
    except ProjectError:  # marks of a conflict, say, with which DVC cannot read the stages either
        with all_written({project.packages: packages.HEAD}):
            return _write(project)
    return _write(project)


def _write(project: Project) -> bool:
    snapshot = Snapshot.at(project)
    if snapshot.graph_error:
        raise ProjectError(f"DVC cannot read the stages: {snapshot.graph_error} Fix this first.")
    versions = wanted(project, snapshot)
    if not versions and not project.packages.exists():
        return False
    return packages.write(project, versions)


def faults(project: Project, snapshot: Snapshot) -> Iterator[str]:
    """Where the file is not what it should be, a sentence each."""
    try:
        versions, current = wanted(project, snapshot), packages.read(project)
    except ProjectError as error:
        yield str(error)
        return
    file = project_settings.of(project).lock_file
    again = f"Write it again with: {packages.WRITE}"
    for name, version in versions.items():
        if name not in current:
            yield f"{packages.FILE} has no {name}, which a stage names. {again}"
        elif current[name] != version:
            yield f"{packages.FILE} has {name} {current[name]}, and {file} {version}. {again}"
    if others := [name for name in current if name not in versions]:
        yield f"{packages.FILE} has {', '.join(others)}, which no stage names. {again}"
