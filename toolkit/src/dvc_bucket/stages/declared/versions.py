"""`packages.yaml` against dvc.yaml and the lock file: which packages it has, and which versions."""

from collections.abc import Iterator

from dvc_bucket.base import foreign_packages, packages
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.files import all_written
from dvc_bucket.base.foreign_packages import TOOL, is_python
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.snapshot import Snapshot
from dvc_bucket.stages.declared.packages import named


def names(snapshot: Snapshot) -> list[str]:
    """The packages that stages name, in order."""
    return sorted({name for stage in snapshot.stages for name in named(stage)})


def wanted(project: Project, snapshot: Snapshot, *, record_tools: bool = False) -> dict[str, str]:
    """What packages.yaml should have: version by name.

    Args:
        project: the clone.
        snapshot: of its workspace.
        record_tools: with the versions of tools that are here; else with those recorded.

    Raises:
        ProjectError: there is no lock file, it does not pin a package that a stage names, or a tool
            that none has recorded yet is not installed here.
    """
    named = names(snapshot)
    versions = packages.locked(project, named) if named else {}
    if record_tools:
        tools = [name for name in named if name.startswith(TOOL)]
        versions |= dict.fromkeys(tools, "") | foreign_packages.installed(tools, project.root)
    if missing := [name for name in named if not versions.get(name)]:
        raise ProjectError(unknown(project, missing[0]))
    return versions


def unknown(project: Project, name: str) -> str:
    """The sentence about a package of which no version is known."""
    if name.startswith(TOOL):
        tool = name.removeprefix(TOOL)
        return (
            f"The version of {tool}, on which a stage depends, is unknown: neither dpkg-query nor "
            f"`{tool} --version` prints it. Install the tool, or remove it from meta and params."
        )
    file = packages.lock_of(project, name)
    fix = f"make add PACKAGE={name}" if is_python(name) else "in R: renv::snapshot()"
    return (
        f"{file} pins no version of {name}, which a stage depends on. Add the package ({fix}), or "
        "remove it from the params."
    )


def write(project: Project, *, record_tools: bool = False) -> bool:
    """Write packages.yaml from the lock file; whether there was anything to write.

    In a project whose stages name no package, only a file that is there is written. A tool keeps
    the version that is recorded.

    Args:
        project: the clone.
        record_tools: record the versions of tools that are here in place of those.

    Raises:
        ProjectError: as `wanted`; or DVC cannot read the project. The file is as it was then.
    """
    try:
        packages.read(project)
    except ProjectError:  # marks of a conflict, say, with which DVC cannot read the stages either
        with all_written({project.packages: packages.HEAD}):
            return _write(project, record_tools=record_tools)
    return _write(project, record_tools=record_tools)


def _write(project: Project, *, record_tools: bool) -> bool:
    snapshot = Snapshot.at(project)
    if snapshot.graph_error:
        raise ProjectError(f"DVC cannot read the stages: {snapshot.graph_error} Fix this first.")
    versions = wanted(project, snapshot, record_tools=record_tools)
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
    again = f"Write it again with: {packages.WRITE}"
    for name, version in versions.items():
        if name not in current:
            yield f"{packages.FILE} has no {name}, which a stage names. {again}"
        elif current[name] != version:
            file = packages.lock_of(project, name)
            yield f"{packages.FILE} has {name} {current[name]}, and {file} {version}. {again}"
    if others := [name for name in current if name not in versions]:
        yield f"{packages.FILE} has {', '.join(others)}, which no stage names. {again}"
