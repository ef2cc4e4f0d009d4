"""What git has not saved yet, and the commands that save it; they print as they always do."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence

from dvc_bucket.base.errors import SaveError
from dvc_bucket.base.paths import Project
from dvc_bucket.git.contents import GIT, ended, git


def unsaved(project: Project, paths: Sequence[str], *, staged: bool = False) -> list[str]:
    """Files at or below paths whose content in the work tree is not in the index.

    Args:
        project: in the repository.
        paths: from the project's root.
        staged: also those whose content is in the index and not in the last commit.

    Returns:
        Paths from the project's root; without files that git ignores.
    """
    if not paths:
        return []
    words = ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--")
    said = git(project.root, *words, *(f":(literal){path}" for path in paths))
    prefix = os.fsdecode(git(project.root, "rev-parse", "--show-prefix")).strip()
    lines = [os.fsdecode(line) for line in said.split(b"\0") if line]
    return [line[3:].removeprefix(prefix) for line in lines if staged or line[1] != " "]


def add(project: Project, paths: Sequence[str]) -> None:
    """Put files into the index as they are in the work tree, removed ones too."""
    if paths:
        git(project.root, "add", "--all", "--", *(f":(literal){path}" for path in paths))


def has_staged(project: Project) -> bool:
    """Whether the index differs from the last commit."""
    return ended(project.root, "diff", "--cached", "--quiet").returncode != 0


def commit(project: Project, message: str) -> None:
    """Commit the index.

    Raises:
        SaveError: git refused, or a hook did.
    """
    if _run(project, "commit", "--message", message):
        raise SaveError(
            "`git commit` failed; the lines above say why. The data is on the remote, and the "
            "files to commit are staged. Fix the cause and run the command again."
        )


def push(project: Project) -> Iterator[str]:
    """Push the current branch to where it belongs: its upstream, or the only remote or `origin`.

    Yields:
        What is done, or why nothing is.

    Raises:
        SaveError: git could not push.
    """
    said = ended(project.root, "symbolic-ref", "--quiet", "--short", "HEAD").stdout
    branch = os.fsdecode(said).strip()
    if not branch:
        yield "no branch is checked out, so git pushes nothing"
        return
    words = ["push"]
    upstream = ended(project.root, "rev-parse", "--abbrev-ref", f"{branch}@{{upstream}}")
    if upstream.returncode:
        remotes = os.fsdecode(git(project.root, "remote")).split()
        remote = "origin" if "origin" in remotes else remotes[0] if len(remotes) == 1 else ""
        if not remote:
            found = "several remotes and no upstream" if remotes else "no remote"
            yield f"the branch {branch} has {found}, so git pushes nothing"
            return
        words += ["--set-upstream", remote, branch]
    yield f"git {' '.join(words)}"
    if _run(project, *words):
        raise SaveError(
            "`git push` failed; the lines above say why. The commit exists, and its data is on the "
            "remote. Fix the cause (`git pull` if the remote has new commits) and run the command "
            "again."
        )


def _run(project: Project, *words: str) -> int:
    """Run git with the terminal of this process, for it may ask something; its exit status."""
    sys.stdout.flush()
    return subprocess.run([*GIT, *words], cwd=project.root, check=False).returncode
