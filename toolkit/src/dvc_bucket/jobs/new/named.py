"""The packages and tools that a new stage names, and the files that record their versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dvc_bucket.base import foreign_packages, packages
from dvc_bucket.base.errors import NewError
from dvc_bucket.base.foreign_packages import RENV_LOCK, TOOL, R
from dvc_bucket.base.paths import Project
from dvc_bucket.jobs.new.layout import Kind
from dvc_bucket.stages.declared import runners, versions
from dvc_bucket.stages.declared.imports import code_of
from dvc_bucket.stages.declared.packages import IGNORED, Imported


@dataclass(frozen=True)
class NamedPackages:
    """What a new stage names.

    Attributes:
        names: as packages.yaml has them.
        files: the new texts of files, by path.
    """

    names: Sequence[str]
    files: Mapping[str, str]


def of_new(project: Project, kind: Kind, tools: Sequence[str], models: str) -> NamedPackages:
    """What a new stage of this kind names.

    That is its tools, and in a project with packages.yaml R, the kernel of a notebook, or what the
    module of models imports. A project whose first stage in R it is gets a renv.lock, with the
    version of R that is here.

    Args:
        project: the clone.
        kind: of the script.
        tools: Debian packages or programs.
        models: the module that the models of its parameters are imported from; may be empty.

    Raises:
        NewError: a tool has a name that cannot be looked up, or is not installed here.
        ProjectError: a lock file or packages.yaml cannot be read.
    """
    for tool in tools:
        if not foreign_packages.TOOL_NAME.fullmatch(tool):
            raise NewError(
                f"--tools {tool!r}: the name of a Debian package or program consists of letters, "
                "digits, +, - and _."
            )
    here: dict[str, str] = {}
    files: dict[str, str] = {}
    wanted = [TOOL + tool for tool in tools]
    if project.packages.is_file():
        wanted += _of_kind(project, kind, models)
    if R in wanted and not (project.root / RENV_LOCK).exists():
        here = foreign_packages.installed([R], project.root)
        files[RENV_LOCK] = foreign_packages.lock_of_r(here[R])
    pinned = here | packages.locked(project, [name for name in wanted if name not in here])
    if unknown := [name for name in wanted if name not in pinned]:
        raise NewError(versions.unknown(project, unknown[0]))
    current = packages.read(project)
    if not pinned.keys() <= current.keys():
        files[packages.FILE] = packages.text_of({**pinned, **current})
    return NamedPackages(sorted(pinned), files)


def _of_kind(project: Project, kind: Kind, models: str) -> Sequence[str]:
    if kind == "r":
        return [R]
    if kind == "notebook":
        return [runners.KERNEL]
    if not models:
        return []
    imported = Imported.of(code_of([project.root / models], [], []))
    return sorted(imported.files.keys() - imported.late - IGNORED)
