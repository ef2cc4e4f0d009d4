"""A commit in a folder of its own: its files, and what DVC needs to work on them."""

import os
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


def make(project: Project, repository: Repository, commit: str, target: Path) -> Project:
    """Clone the repository that a project is in, at a commit, into the new folder `target`.

    The clone reads the objects of the other one and has no way back: no remote to push to.

    Raises:
        CheckError: git cannot clone it, the commit has no such project, or a link in it leads out
            of the clone.
    """
    log = target.with_name(f"{target.name}.git.log")
    for words in (
        ("clone", "--quiet", "--shared", "--no-checkout", str(repository.root), str(target)),
        ("-C", str(target), "checkout", "--quiet", "--detach", commit),
        ("-C", str(target), "remote", "remove", "origin"),
    ):
        status = processes.run(
            ["git", *PLAIN, *words], cwd=target.parent, env=environment(), log=log
        )
        if status != 0:
            raise CheckError(f"git cannot clone {commit[:7]}: {processes.tail(log, 3)}")
    made = Project(target / project.root.resolve().relative_to(repository.root.resolve()))
    if not made.dvc_config.is_file():
        raise CheckError(f"{commit[:7]} has no .dvc/config: DVC ran no stages there.")
    confine.check_links(made)
    _set_up_dvc(project, made)
    return made


def environment() -> dict[str, str]:
    """What git is told: nothing of a repository that we were started in."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def _set_up_dvc(project: Project, made: Project) -> None:
    """Give the clone a cache of its own, and the overrides with which its owner reaches remotes."""
    tracked = config.read(made.dvc_config)
    overrides = {
        name: dict(section)
        for name, section in config.read(project.dvc_config_local).items()
        if name.startswith("remote ") and name in tracked
    }
    links = config.ROOT_LINKS if os.geteuid() == 0 else ("reflink", "hardlink", "copy")
    cache = {"dir": str(made.root / ".dvc" / "cache"), "type": [*links]}
    core = {
        "site_cache_dir": str(private_folder(made.dvc_site_cache)),
        "autostage": "false",
        "analytics": "false",
    }
    written = ConfigObj(interpolation=False)
    written.update(overrides | {"cache": cache, "core": core})
    write_private(made.dvc_config_local, "\n".join([*written.write(), ""]))
