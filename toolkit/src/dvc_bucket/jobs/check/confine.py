"""Refuses commits with which a check would write or delete outside its own clone."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from dvc_bucket.base.errors import CheckError
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.snapshot import Stage
from dvc_bucket.jobs.check.plan import StagePlan

#: What follows the name of the path in every refusal.
REFUSED = (
    "The check cannot redirect that into its own clone, so nothing was run and nothing was "
    "deleted. Use a path inside the project."
)


def check_stages(clone: Project, person: Path, plan: StagePlan, stages: Sequence[Stage]) -> None:
    """Refuse stages that would write outside the clone, or that read the person's clone.

    Args:
        clone: of the check.
        person: root of the repository that the check was started in.
        plan: all stages of the commit.
        stages: those that are to run.

    Raises:
        CheckError: it names the stage and the path.
    """
    for stage in stages:
        for path in _written(stage):
            target(clone, path, stage.name)
        for dep in stage.deps:
            place = _real(clone, dep.path)
            if place and not _is_in(place, clone) and place.is_relative_to(_resolved(person)):
                raise CheckError(
                    f"Stage {stage.name} reads {place}, which is in your clone and not in the "
                    f"commit. {REFUSED}"
                )
    for path in plan.pulled(stages):
        target(clone, path, plan.maker(path))


def check_links(clone: Project) -> None:
    """Refuse a commit whose links lead DVC, or the installation of packages, out of the clone.

    Raises:
        CheckError: it names the link.
    """
    if _resolved(clone.root) != clone.root:
        raise CheckError(
            f"The folder of the project is a link in this commit; it leads to "
            f"{_resolved(clone.root)}. {REFUSED}"
        )
    dvc = clone.dvc_config.parent
    # DVC cannot read a lock file whose link leads nowhere, and `rglob("dvc.lock")` skips it.
    locks = [path for path in clone.root.rglob("*") if path.name == "dvc.lock"]
    for path in (dvc, clone.root / ".venv", *dvc.rglob("*"), *locks):
        if not _is_in(_resolved(path), clone):
            name = path.relative_to(clone.root)
            raise CheckError(f"The link {name} of the commit leads to {_resolved(path)}. {REFUSED}")


def target(clone: Project, path: str, stage: str) -> Path:
    """Where in the clone a stage's output, or what is pulled, is.

    Args:
        clone: of the check.
        path: as the plan has it.
        stage: name of the stage that makes it; empty if none does.

    Raises:
        CheckError: it is outside the clone, by its name or through a link.
    """
    place = _real(clone, path)
    if place and _is_in(place, clone):
        return clone.root / path
    who = f"Stage {stage} writes" if stage else "DVC tracks"
    raise CheckError(f"{who} {place or path}, which is outside the project. {REFUSED}")


def _written(stage: Stage) -> Iterator[str]:
    """Paths that a stage writes to by its declaration, and DVC beside them."""
    yield stage.folder
    yield f"{Path(stage.file).parent}/dvc.lock"
    for out in stage.outs:
        yield out.path
        yield f"{Path(out.path).parent}/.gitignore"


def _real(clone: Project, path: str) -> Path | None:
    """A path without links; None if it is an address on a remote."""
    return None if "://" in path else _resolved(clone.root / path)


def _resolved(path: Path) -> Path:
    """Without links, also where they lead in a circle."""
    return Path(os.path.realpath(path))


def _is_in(place: Path, clone: Project) -> bool:
    """Whether it is in the clone's repository, which can be larger than the project."""
    folders = (clone.root, *clone.root.parents)
    top = next((folder for folder in folders if (folder / ".git").exists()), clone.root)
    return place.is_relative_to(top)
