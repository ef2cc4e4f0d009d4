"""The merge driver that git calls for `dvc.lock`, and how git comes to know it.

gitattributes(5), "Defining a custom merge driver": git hands over three temporary files, takes what
is in the second one afterwards, and leaves a conflict where the exit status is not 0.
"""

import subprocess
from pathlib import Path

from dvc_bucket.base.errors import LockError
from dvc_bucket.base.files import write_whole
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.lock import entries
from dvc_bucket.dvc.lock.merge import ConflictError, Merged, merge
from dvc_bucket.git.contents import Repository
from dvc_bucket.git.hooks import configuration
from dvc_bucket.git.hooks.install import script, write

#: What `.gitattributes` names it.
DRIVER = "dvc-lock"

#: The script that git runs, beside this file and then in the repository's git folder.
SCRIPT = "driver.sh"
INSTALLED = "bucket-lock-merge"

#: What git is told: in a shell, in the root of the work tree.
SETTINGS = {
    "name": "dvc.lock, stage by stage",
    "driver": f'sh "$(git rev-parse --git-common-dir)/{INSTALLED}" %O %A %B %P %L',
    # Of several common ancestors git makes one: with what it takes for binary files, a whole one.
    "recursive": "binary",
}


def merge_files(base: Path, ours: Path, theirs: Path, name: str) -> Merged:
    """Merge lock files into `ours`.

    Args:
        base: what both sides come from; empty if there was none.
        ours: one side, to be replaced.
        theirs: the other side.
        name: of the file in the repository, for messages.

    Raises:
        LockError: a side is no lock file, or both changed something other than stages; `ours` then
            has what git's own merge makes of it.
    """
    sides = {"their common ancestor": base, "our side": ours, "the other side": theirs}
    try:
        merged = merge(*(_read(path, f"{name} of {side}") for side, path in sides.items()))
        text = entries.write(merged.lock)
    except Exception as error:  # whatever it is, git gets its own merge, and hears of it
        _mark(base, ours, theirs)
        if isinstance(error, ConflictError):
            raise LockError(f"{name}: both sides changed `{error}` differently.") from None
        raise
    write_whole(ours, text)
    return merged


def to_run_again(merged: Merged, name: str) -> str:
    """The line that names the stages which the merge left out; empty if there are none."""
    if not merged.dropped:
        return ""
    named = ", ".join(f"{stage} ({why})" for stage, why in merged.dropped.items())
    return f"{name}: `bucket repro` will run these stages again: {named}."


def install(project: Project) -> str | None:
    """Have git merge `dvc.lock` by this driver; the sentence that says so, None if it did.

    Raises:
        ProjectError: the project is in no git repository.
    """
    installed, before, text = _scripts(project)
    if before != text:
        write(installed, text)
    for key, value in SETTINGS.items():
        configuration.put(project.root, f"merge.{DRIVER}.{key}", value)
    return "git now merges dvc.lock stage by stage." if before is None else None


def is_in_place(project: Project) -> bool:
    """Whether git merges `dvc.lock` by this driver, of this version.

    Raises:
        ProjectError: the project is in no git repository.
    """
    _, before, text = _scripts(project)
    return before == text and all(
        configuration.get(project.root, f"merge.{DRIVER}.{key}") == value
        for key, value in SETTINGS.items()
    )


def _scripts(project: Project) -> tuple[Path, bytes | None, bytes]:
    """Where git has the driver, what is there, and what is to be there."""
    repository = Repository.of(project)
    installed = repository.git_dir / INSTALLED
    before = installed.read_bytes() if installed.exists() else None
    return installed, before, script(Path(__file__).with_name(SCRIPT), repository, before)


def _read(path: Path, title: str) -> entries.Lock:
    try:
        return entries.read(path.read_text(encoding="utf-8"), title)
    except UnicodeDecodeError:
        raise LockError(f"{title} is not text.") from None


def _mark(base: Path, ours: Path, theirs: Path) -> None:
    """Do what git does by default."""
    labels = [option for side in ("ours", "base", "theirs") for option in ("-L", side)]
    subprocess.run(["git", "merge-file", *labels, "--", ours, base, theirs], check=False)
