"""What keeps DVC from working in a folder, and it does not say what to do about it."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from dvc_bucket.base.errors import BucketError, ProjectError
from dvc_bucket.base.files import is_writable
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import dvc_config
from dvc_bucket.dvc import adding
from dvc_bucket.dvc.snapshot import Snapshot
from dvc_bucket.git.contents import Repository, is_in_repository

#: DVC's words that need git, and that look at outputs.
NEED_GIT = {"add", "checkout", "commit", "fetch", "pull", "push", "repro", "status"}

#: Those that move data between cache and remote, or remove it there.
MOVE = {"exp", "fetch", "gc", "pull", "push", "repro", "status"}

#: DVC's words that give data another name.
RENAME = {"move", "mv"}

#: How deep below the project's root links to folders are looked for.
LINK_DEPTH = 3

#: Those that run the commands of stages.
RUN = {"repro", "exp"}


def refuse(arguments: Sequence[str]) -> None:
    """Refuse a command of DVC that would fail where it is started, with the fix.

    Args:
        arguments: the words after `dvc`.

    Raises:
        ProjectError: the project is in no git repository or cannot be written, a link leads to
            data outside of it, something to add cannot be tracked, data would be moved to a path
            that is taken, or a remote has a prefix that is read differently by stores.
        UnsafePathError: something to add can contain credentials.
    """
    project = Project.around()
    if not project or {"-h", "--help"}.intersection(arguments):
        return
    if MOVE.intersection(arguments[:1]):
        _refuse_prefixes(project, arguments)
    adds = bool({"add", "import-url"}.intersection(arguments[:1]))
    data = adding.unusual(arguments[1:]) if adds else {}
    adding.refuse_credentials(project, data)
    if RENAME.intersection(arguments[:1]):
        _refuse_replacing(arguments[1:])
    if not NEED_GIT.intersection(arguments[:1]):
        return
    if is_in_repository(project.root):
        _refuse_unwritable(project)
        refuse_links(project)
        if arguments[0] == "add":
            adding.refuse(project, data)
    elif not _is_without_git(project):
        raise ProjectError(
            f"{project.root} is not in a git repository, which DVC needs. A downloaded archive "
            "(ZIP) has no repository: clone it (`git clone URL`), or create one with `git init`, "
            "`git add --all` and `git commit`."
        )


def _refuse_replacing(arguments: Sequence[str]) -> None:
    """Refuse to move data to a path where something is: DVC replaces it, tracked or not.

    Raises:
        ProjectError: names the path.
    """
    match [Path(word) for word in arguments if not word.startswith("-")]:
        case [source, target]:
            if target.is_dir():
                target = target / source.name
            is_same = source.exists() and target.exists() and target.samefile(source)
            if os.path.lexists(target) and not is_same:
                raise ProjectError(
                    f"{target} exists, and DVC would replace it. Name another path, or move it "
                    "away first."
                )


def explained(arguments: Sequence[str]) -> Iterator[str]:
    """Sentences about stages that could not run a program, after a command that failed.

    Args:
        arguments: the words after `dvc`.
    """
    project = Project.around()
    if not (project and RUN.intersection(arguments[:1])):
        return
    try:
        snapshot = Snapshot.at(project)
    except BucketError:  # DVC has said so
        return
    tracked = {path for path, out in snapshot.outs.items() if out.is_cached}
    for stage in snapshot.stages:
        for dep in (dep.path for dep in stage.deps):
            file = project.root / dep
            is_run = any(word in stage.command.split() for word in (f"./{dep}", str(file)))
            if is_run and dep in tracked and file.is_file() and not file.stat().st_mode & 0o111:
                yield (
                    f"{dep} is not executable, because DVC, which tracks it, stores no "
                    "permissions. Track it with git, or name its interpreter in the command of "
                    f"{stage.name}: `sh {dep}`."
                )


def _is_without_git(project: Project) -> bool:
    """Whether DVC is told to do without git."""
    values = (
        dvc_config.read(file).get("core", {}).get("no_scm") for file in dvc_config.files(project)
    )
    return str(next((value for value in values if value is not None), "")).lower() == "true"


def _refuse_unwritable(project: Project) -> None:
    """Refuse a clone in which DVC cannot take its locks.

    Raises:
        ProjectError: names the folder.
    """
    folder = project.dvc_site_cache.parent
    if not is_writable(folder):
        raise ProjectError(
            f"{folder} is not writable (a read-only disk, or another user's folder), and this "
            f"command needs a lock there. Work in a clone of your own: `git clone {project.root}`. "
            "`bucket ls`, `cat`, `cp` and `verify` work here."
        )


def refuse_links(project: Project) -> None:
    """Refuse outputs behind a link that leads out of the repository.

    Raises:
        ProjectError: names the link and an output.
    """
    root = Repository.of(project).root.resolve()
    links = (path.relative_to(project.root) for path in _links(project.root, LINK_DEPTH))
    leading_out = [
        link for link in links if not (project.root / link).resolve().is_relative_to(root)
    ]
    for out in map(Path, Snapshot.at(project).outs if leading_out else ()):
        for link in leading_out:
            if link in out.parents:
                real = (project.root / link).resolve()
                raise ProjectError(
                    f"{link} is a link to {real}, outside the repository, and DVC does not accept "
                    f"an output such as {out} behind a link. Replace the link by a folder. To "
                    "store the data on the other disk, move DVC's cache there: `dvc cache dir "
                    f"--local {real}/cache`."
                )


def _links(folder: Path, depth: int) -> Iterator[Path]:
    """Links to folders, so many levels deep; without .venv and the like."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or not _is_folder(entry):
                continue
            if entry.is_symlink():
                yield Path(entry.path)
            elif depth > 1:
                yield from _links(Path(entry.path), depth - 1)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _refuse_prefixes(project: Project, arguments: Sequence[str]) -> None:
    """Refuse a remote whose keys stores and clients do not read alike.

    Raises:
        ProjectError: names the remote.
    """
    named = [
        word.removeprefix("--remote=")
        for before, word in zip(("", *arguments), arguments, strict=False)
        if before in {"-r", "--remote"} or word.startswith("--remote=")
    ]
    if not named:
        with suppress(ProjectError):  # none: DVC says so where it needs one
            named = [dvc_config.chosen_remote(project)[0]]
    for name in named:
        options = dvc_config.options_of(project, name)
        dvc_config.check_prefix(str(options.get("url", "")), f"The remote {name}")
