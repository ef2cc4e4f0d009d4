"""Hooks of git: put in place beside those of others, in the repository that a project lies in."""

import os
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.files import replacing
from dvc_bucket.base.paths import Project
from dvc_bucket.git.contents import Repository

#: The line of a script that says where in the repository the project is; or all projects, a line
#: each in quotes, and the line of earlier versions.
FOLDER = "project=."
FOLDERS = "projects=."
STATED = re.compile(rb"^projects?=(.*?)  #", re.MULTILINE | re.DOTALL)

#: All hooks are this script, which has the word HOOK for the name.
SCRIPT, NAME = Path(__file__).with_name("hook.sh"), "HOOK"

#: The line of the script that says whether a push is checked.
VERIFIES, DOES_NOT = "verifies=yes", "verifies=no"

#: How the line begins by which a hook of ours is recognised; the rest is its name.
MARK = "# dvc-bucket writes this file; your own commands go into "


@dataclass(frozen=True)
class Hook:
    """A hook of ours.

    Attributes:
        name: git's name of it.
        does: what git does with it, as in "git now ...".
        unless: what is the case where it cannot be installed, as in "so ...".
        runs: the command that a shared hook has to run instead.
        installs: the command that installs it.
        other: when a hook that was there before runs.
        unmarked: second lines of the versions that had no mark.
        verifies: whether it checks a push.
    """

    name: str
    does: str
    unless: str
    runs: str
    installs: str
    other: str
    unmarked: tuple[str, ...]
    verifies: bool = True

    def install(self, project: Project) -> str | None:
        """Put it in place; return the sentence that says so, None if it was.

        A hook of somebody else at this place is kept as `NAME.local`, which ours runs.

        Raises:
            ProjectError: the project is in no git repository, its hooks are in a folder that other
                repositories share, or two hooks are there already.
        """
        repository = Repository.of(project)
        hook = repository.hooks / self.name
        self.check_is_of(repository)
        before = self.found(repository)
        text = self._text(repository, before)
        if before == text and hook.stat().st_mode & 0o111:
            return None
        if before is None or self.is_ours(before):
            write(hook, text)
            return None if before else f"git now {self.does} ({_shown(hook, project)})."
        write(hook, text, lambda: self._keep(hook))
        return (
            f"git now {self.does} ({_shown(hook, project)}). The previous hook is now "
            f"{hook.name}.local and runs {self.other}."
        )

    def is_in_place(self, project: Project) -> bool:
        """Whether `install` would change nothing: git runs this hook, of this version.

        Raises:
            ProjectError: as `install`, but for two hooks.
        """
        repository = Repository.of(project)
        self.check_is_of(repository)
        text, file = self.found(repository), repository.hooks / self.name
        return bool(text and text == self._text(repository, text) and file.stat().st_mode & 0o111)

    def _text(self, repository: Repository, before: bytes | None) -> bytes:
        """The script for this repository; the projects of one of ours that is there stay in it."""
        ours = before if before and self.is_ours(before) else None
        text = script(SCRIPT, repository, ours).replace(NAME.encode(), self.name.encode())
        return text if self.verifies else text.replace(VERIFIES.encode(), DOES_NOT.encode())

    def found(self, repository: Repository) -> bytes | None:
        """What is at this place now; None if nothing is. A link into the void is somebody's."""
        hook = repository.hooks / self.name
        if hook.exists():
            return hook.read_bytes()
        return b"" if hook.is_symlink() else None

    def is_ours(self, text: bytes | None) -> bool:
        """Whether a hook is this one, in any version."""
        lines = (text or b"").splitlines()
        mark = f"{MARK}{self.name}.local.".encode()
        return mark in lines or (
            len(lines) > 1 and lines[1].decode("utf-8", "replace") in self.unmarked
        )

    def check_is_of(self, repository: Repository) -> None:
        """Refuse a folder of hooks that is not this repository's own.

        Raises:
            ProjectError: it is elsewhere, so that other repositories would get the hook too.
        """
        hooks = repository.hooks.resolve()
        own = [repository.git_dir, repository.root.resolve()]
        if not any(hooks.is_relative_to(folder) for folder in own):
            raise ProjectError(
                f"git looks for hooks in {hooks} (core.hooksPath), not in this repository's "
                f".git/hooks, so {self.unless}. Add `{self.runs}` to the hook {self.name} there; "
                "or replace those hooks here: `git config --local core.hooksPath .git/hooks`, then "
                f"`{self.installs}`."
            )

    def _keep(self, hook: Path) -> None:
        """Give somebody else's hook its second name, before ours takes the first one.

        Raises:
            ProjectError: another one has that name.
        """
        aside = hook.with_name(f"{hook.name}.local")
        if os.path.lexists(aside) and not _is_same(hook, aside):
            raise ProjectError(
                f"{hook} and {aside.name} beside it both exist, and `{self.installs}` wrote "
                "neither. Merge them into one, then run that command again."
            )
        if os.path.lexists(aside):  # an earlier attempt came as far as here
            return
        try:
            os.link(hook, aside, follow_symlinks=False)
        except OSError:  # a file system without hard links
            hook.rename(aside)


def write(path: Path, text: bytes, before: Callable[[], None] = lambda: None) -> None:
    """Write a script that git runs: whole, or not at all and what was there stays.

    Args:
        path: of the script.
        text: of it.
        before: is called once the new file is on the disk, and before it takes its name.

    Raises:
        ProjectError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, 0o755) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            before()
    except OSError as error:
        raise ProjectError(
            f"{path} cannot be written: {error.strerror}. Nothing was changed."
        ) from None


def _is_same(hook: Path, aside: Path) -> bool:
    """Whether two names lead to the same file or to the same link."""
    return os.path.samestat(hook.lstat(), aside.lstat())


def script(path: Path, repository: Repository, before: bytes | None = None) -> bytes:
    """The script in this file for this repository: it has to know where in it the project is.

    Args:
        path: of the file.
        repository: with the project.
        before: the script that is there; its projects stay in the list of one that has several.
    """
    folder = str(repository.project.relative_to(repository.root.resolve()))
    others = _stated(before or b"")
    folders = "\n".join([*others, *([] if folder in others else [folder])])
    text = path.read_text("utf-8").replace(FOLDERS, f"projects={shlex.quote(folders)}", 1)
    return text.replace(FOLDER, f"project={shlex.quote(folder)}", 1).encode()


def _stated(text: bytes) -> list[str]:
    """The folders of projects that a script has."""
    match = STATED.search(text)
    words = shlex.split(os.fsdecode(match[1])) if match else []
    return words[0].split("\n") if words else []


def _shown(hook: Path, project: Project) -> Path:
    """The path of the hook, short where that is possible."""
    path, root = hook.resolve(), project.root.resolve()
    return path.relative_to(root) if path.is_relative_to(root) else path
