"""Clones of a commit, set up for DVC; refuses commits that would write or delete outside of one."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from configobj import ConfigObj

from dvc_bucket.base.errors import CheckError, NotCheckedError, ProjectError
from dvc_bucket.base.files import private_folder, write_private
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import cache_links
from dvc_bucket.connection import dvc_config as config
from dvc_bucket.dvc.snapshot import Stage
from dvc_bucket.git.checkout import check_out
from dvc_bucket.git.contents import Repository
from dvc_bucket.jobs.check.plan import StagePlan

#: What follows the name of the path in every refusal.
REFUSED = (
    "The check cannot redirect it to its own clone, so nothing was run or deleted. Use a path "
    "inside the project."
)


@dataclass(frozen=True)
class Clones:
    """Makes clones of a commit.

    Attributes:
        project: the person's.
        repository: that it is in.
        commit: full id.
        folder: that the clones are made in.
    """

    project: Project
    repository: Repository
    commit: str
    folder: Path

    def make(self, name: str) -> Project:
        """Clone the repository at the commit, into a folder `name` in a new one.

        The clone reads the objects of the other one and has no way back: no remote to push to.

        Raises:
            CheckError: the commit has no such project, or a link in it leads out of the clone.
            NotCheckedError: git cannot make the clone here.
        """
        root, commit = self.repository.root, self.commit
        target = Path(tempfile.mkdtemp(prefix="clone-", dir=self.folder)) / name
        try:
            check_out(self.repository, commit, target)
        except ProjectError as error:
            raise NotCheckedError(f"git cannot clone {commit[:7]} here: {error}") from None
        clone = Project(target / self.project.root.resolve().relative_to(root.resolve()))
        if not clone.dvc_config.is_file():
            raise CheckError(f"{commit[:7]} has no .dvc/config, so it has no stages of DVC.")
        _check_links(clone)
        _set_up_dvc(self.project, clone)
        return clone


def _set_up_dvc(project: Project, clone: Project) -> None:
    """Give the clone a cache of its own, and the overrides with which its owner reaches remotes."""
    tracked = config.read(clone.dvc_config)
    overrides = {
        name: dict(section)
        for name, section in config.read(project.dvc_config_local).items()
        if name.startswith("remote ") and name in tracked
    }
    links = cache_links.ROOT_LINKS if os.geteuid() == 0 else ("reflink", "hardlink", "copy")
    cache = {"dir": str(clone.root / ".dvc" / "cache"), "type": [*links]}
    core = {
        "site_cache_dir": str(private_folder(clone.dvc_site_cache)),
        "autostage": "false",
        "analytics": "false",
    }
    if not config.is_of_project(project):
        name, _ = config.chosen_remote(project)
        options = config.options_of(project, name)
        place = options.get("url", "")
        if place and "://" not in place:  # a folder, from that of the configuration
            options["url"] = str((project.dvc_config.parent / place).resolve())
        core["remote"], overrides[f'remote "{name}"'] = name, options
    written = ConfigObj(interpolation=False)
    written.update(overrides | {"cache": cache, "core": core})
    write_private(clone.dvc_config_local, "\n".join([*written.write(), ""]))


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
        places = [
            path for out in stage.outs for path in (out.path, _beside(out.path, ".gitignore"))
        ]
        for path in (stage.folder, _beside(stage.file, "dvc.lock"), *places):
            target(clone, path, stage.name)
        for dep in stage.deps:
            place = _real(clone, dep.path)
            if place and not _is_in(place, clone) and place.is_relative_to(_resolved(person)):
                raise CheckError(
                    f"Stage {stage.name} reads {place}, which is in your clone but not in the "
                    f"commit. {REFUSED}"
                )
    for path in plan.pulled(stages):
        target(clone, path, plan.maker(path))


def _check_links(clone: Project) -> None:
    """Refuse a commit whose links lead DVC, or the installation of packages, out of the clone.

    Raises:
        CheckError: it names the link.
    """
    if _resolved(clone.root) != clone.root:
        raise CheckError(
            "The folder of the project is a link in this commit; its target is "
            f"{_resolved(clone.root)}. {REFUSED}"
        )
    dvc = clone.dvc_config.parent
    # DVC cannot read a lock file whose link leads nowhere, and `rglob("dvc.lock")` skips it.
    locks = [path for path in clone.root.rglob("*") if path.name == "dvc.lock"]
    for path in (dvc, clone.root / ".venv", *dvc.rglob("*"), *locks):
        if not _is_in(_resolved(path), clone):
            name = path.relative_to(clone.root)
            raise CheckError(
                f"The link {name} of the commit has the target {_resolved(path)}. {REFUSED}"
            )


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


def _beside(path: str, name: str) -> str:
    """A file that DVC writes beside another."""
    return f"{Path(path).parent}/{name}"


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
