"""Files of DVC that git tracks and DVC does not see, each with the ignore line that hides it.

DVC looks for its files in the work tree and leaves out what `.gitignore` or `.dvcignore` matches.
It skips a folder whose contents are ignored, even where a later line takes `*.dvc` out again. Its
commands then say that all is up to date.
"""

import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from dvc_bucket.base.paths import CONFIG, Project
from dvc_bucket.dvc.patched.repository import has_git
from dvc_bucket.dvc.remote.outputs import from_root
from dvc_bucket.git.contents import ended, git

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.types import Repo

#: What a tracked file must end with to be one of DVC's; the first stands alone.
PIPELINE, SUFFIX = "dvc.yaml", ".dvc"

#: What to do about such a file.
FIX = (
    "Change the ignore line so that neither git nor DVC ignores the folder and the file. Restore a "
    "file that names no data."
)


def unseen(project: Project, repo: "Repo", commit: str | None = None) -> dict[str, str]:
    """Return, by path from the project's root, why DVC does not see a file that git tracks.

    Args:
        project: the clone.
        repo: the same, opened, and switched to `commit`.
        commit: None for the files of the work tree.

    Raises:
        ProjectError: git cannot list the files.
    """
    names = _tracked(project, repo, commit)
    if not names:
        return {}
    seen = {from_root(repo, file.path): bool(file.outs or file.cmd) for file in repo.index.stages}
    whole = {from_root(repo, out.fs_path) for out in repo.index.outs if out.protocol == "local"}
    reasons = {}
    for name in names:
        if name in seen:
            if not seen[name]:  # a full disk leaves such a file
                reasons[name] = "it names no data: `git log -p` shows what it named"
            continue
        why = _why(project, repo, name, whole, is_workspace=commit is None)
        if why or name.endswith(SUFFIX):  # a dvc.yaml can be seen and hold no stage
            reasons[name] = f"DVC does not see it: {why or 'no ignore line explains it'}"
    return reasons


def _tracked(project: Project, repo: "Repo", commit: str | None) -> list[str]:
    """Files of this DVC project that git tracks; none of a project inside it."""
    if not has_git(repo):
        return []
    words = ["ls-tree", "-r", "-z", "--name-only", commit] if commit else ["ls-files", "-z"]
    names = os.fsdecode(git(project.root, *words)).split("\0")
    inner = tuple(name.removesuffix(CONFIG) for name in names if name.endswith(f"/{CONFIG}"))
    return [
        name
        for name in names
        if (name.endswith(SUFFIX) or PurePosixPath(name).name == PIPELINE)
        and not name.startswith(inner)
        and (commit or (project.root / name).is_file())
    ]


def _why(project: Project, repo: "Repo", name: str, whole: set[str], *, is_workspace: bool) -> str:
    """What hides a file, in the words that follow a colon; empty if nothing is known to."""
    folders = [str(path) for path in reversed(PurePosixPath(name).parents) if str(path) != "."]
    if tracked := whole.intersection(folders):
        return f"it is inside {min(tracked)}, which DVC tracks as a whole"
    ignored = repo.dvcignore.check_ignore(_absolute(repo, name))
    if ignored.match:
        return f"{ignored.pattern_infos[-1].file_info} hides it"
    if not is_workspace:
        return ""
    # As DVC does: a folder with a slash at its end, so that its contents count.
    paths = [*(f"{folder}/" for folder in folders), name]
    hidden = next((path for path in paths if repo.scm.is_ignored(_absolute(repo, path))), None)
    line = _line_of_git(project, hidden) if hidden else ""
    return f"{line} hides it" if line else ""


def _line_of_git(project: Project, path: str) -> str:
    """The ignore line that matches a file, or a folder or its contents: file, number, pattern."""
    asked = [path, f"{path}x"] if path.endswith("/") else [path]
    output = ended(project.root, "check-ignore", "-v", "--no-index", "--", *asked).stdout
    lines = [line.rpartition("\t")[0] for line in os.fsdecode(output).splitlines()]
    return next((line for line in lines if not line.split(":", 2)[-1].startswith("!")), "")


def _absolute(repo: "Repo", path: str) -> str:
    return os.path.join(repo.root_dir, path)  # noqa: PTH118 (keeps a slash at the end)
