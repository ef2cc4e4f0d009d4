"""`bucket env`: the packages that each stage depends on, with version and reason."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from dvc_bucket.base import packages
from dvc_bucket.base.console import Console
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.foreign_packages import TOOL, R
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.snapshot import Snapshot, Stage
from dvc_bucket.stages.declared.packages import HERE, IGNORED, Imported, named
from dvc_bucket.stages.declared.runners import KERNEL


@dataclass(frozen=True)
class StagePackage:
    """A package of a stage.

    Attributes:
        stage: title of the stage.
        package: name of the package.
        version: in packages.yaml; empty if it has none.
        installed: the version here; empty if it is not installed.
        is_named: the stage names it in dvc.yaml, so that another version reruns the stage.
        why: a clause: which file imports it, or which package needs it.
    """

    stage: str
    package: str
    version: str
    installed: str
    is_named: bool
    why: str


def rows(project: Project) -> list[StagePackage]:
    """The packages of all stages, in the order of the stages.

    Raises:
        ProjectError: DVC cannot read the project, or packages.yaml cannot be read.
    """
    snapshot, versions = Snapshot.at(project), packages.read(project)
    if snapshot.graph_error:
        raise ProjectError(f"DVC cannot read the stages: {snapshot.graph_error} Fix this first.")
    reasons = [
        (stage, name, why) for stage in snapshot.stages for name, why in _reasons(project, stage)
    ]
    installed = packages.installed({name for _, name, _ in reasons}, project)
    return [
        StagePackage(
            stage.title,
            name,
            versions.get(name, ""),
            installed.get(name, ""),
            is_named=name in named(stage),
            why=why,
        )
        for stage, name, why in reasons
    ]


def _reasons(project: Project, stage: Stage) -> Iterator[tuple[str, str]]:
    """Each package that a stage names or imports, and why."""
    imported = Imported.of_stage(project, stage)
    needed = HERE.needed_by(imported.files)
    for name in sorted({*named(stage), *(imported.files.keys() - IGNORED)}):
        if file := imported.files.get(name):
            is_late = " (in a function)" if name in imported.late - IGNORED else ""
            yield name, f"{_verb(name)} {file.relative_to(project.root).as_posix()}{is_late}"
        elif name in needed:
            yield name, f"declared by hand; {needed[name]} needs it"
        else:
            yield name, "declared by hand"


def _verb(name: str) -> str:
    """How a file leads to a package."""
    if name in (R, KERNEL):
        return "runs"
    return "declared in" if name.startswith(TOOL) else "imported by"


def as_json(packages: Sequence[StagePackage]) -> str:
    """The packages as JSON."""
    return json.dumps([asdict(one) for one in packages], indent=2)


def show(packages: Sequence[StagePackage]) -> None:
    """Print a line for each package of each stage, and what differs."""
    from rich.text import Text

    console = Console()
    if not packages:
        console.say("No stage declares or imports a package.")
        return
    lines = [(one.stage, one.package, one.version or "-", _note(one)) for one in packages]
    console.show(("stage", "package", "version", "why"), [tuple(map(Text, line)) for line in lines])


def _note(one: StagePackage) -> str:
    """The reason, with what is not as it should be."""
    notes = [one.why]
    if not one.is_named:
        notes.append("not in the params of the stage")
    elif not one.version:
        notes.append(f"not in {packages.FILE}: {packages.WRITE}")
    elif not packages.is_same(one.version, one.installed):
        notes.append(f"{one.installed or 'none'} is installed")
    return "; ".join(notes)
