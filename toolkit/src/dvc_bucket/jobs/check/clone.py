"""Clones of a commit, set up for DVC."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from configobj import ConfigObj

from dvc_bucket.base.errors import CheckError
from dvc_bucket.base.files import private_folder, write_private
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import dvc_config as config
from dvc_bucket.git.contents import Repository
from dvc_bucket.jobs.check import confine, processes

#: Of git alone for this one command: nobody's hooks, and the line ends that git has.
PLAIN = tuple(
    word
    for setting in ("core.hooksPath=/dev/null", "core.autocrlf=false", "advice.detachedHead=false")
    for word in ("-c", setting)
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
            CheckError: git cannot clone it, the commit has no such project, or a link in it leads
                out of the clone.
        """
        root, commit = self.repository.root, self.commit
        target = Path(tempfile.mkdtemp(prefix="clone-", dir=self.folder)) / name
        log = target.with_name("git.log")
        for words in (
            ("clone", "--quiet", "--shared", "--no-checkout", str(root), str(target)),
            ("-C", str(target), "checkout", "--quiet", "--detach", commit),
            ("-C", str(target), "remote", "remove", "origin"),
        ):
            command = ["git", *PLAIN, *words]
            if processes.run(command, cwd=target.parent, env=_environment(), log=log) != 0:
                raise CheckError(f"git cannot clone {commit[:7]}: {processes.tail(log, 3)}")
        clone = Project(target / self.project.root.resolve().relative_to(root.resolve()))
        if not clone.dvc_config.is_file():
            raise CheckError(f"{commit[:7]} has no .dvc/config: DVC ran no stages there.")
        confine.check_links(clone)
        _set_up_dvc(self.project, clone)
        return clone


def _environment() -> dict[str, str]:
    """The environment of git without the repository that the check was started in."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return own | {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def _set_up_dvc(project: Project, clone: Project) -> None:
    """Give the clone a cache of its own, and the overrides with which its owner reaches remotes."""
    tracked = config.read(clone.dvc_config)
    overrides = {
        name: dict(section)
        for name, section in config.read(project.dvc_config_local).items()
        if name.startswith("remote ") and name in tracked
    }
    links = config.ROOT_LINKS if os.geteuid() == 0 else ("reflink", "hardlink", "copy")
    cache = {"dir": str(clone.root / ".dvc" / "cache"), "type": [*links]}
    core = {
        "site_cache_dir": str(private_folder(clone.dvc_site_cache)),
        "autostage": "false",
        "analytics": "false",
    }
    written = ConfigObj(interpolation=False)
    written.update(overrides | {"cache": cache, "core": core})
    write_private(clone.dvc_config_local, "\n".join([*written.write(), ""]))
