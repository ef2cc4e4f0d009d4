"""What git keeps beside branches, tags and their commits, which no option of DVC's `gc` can name.

These are stashes, indexes and other work trees, other references, and the reflog.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from dvc_bucket.base.paths import CONFIG
from dvc_bucket.git.contents import Repository, ended, git

#: What DVC's own `--all-commits` starts from.
COMMITS = ("--branches", "--tags", "--remotes")

#: Names, in the git folder of a work tree, of commits that an unfinished command needs.
UNFINISHED = (
    "HEAD",
    "MERGE_HEAD",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "REBASE_HEAD",
    "MERGE_AUTOSTASH",
    "rebase-merge/autostash",
    "rebase-apply/autostash",
)

#: A commit of a tree, as git stores it, by nobody and without a time.
COMMIT = "tree {}\nauthor - <-> 0 +0000\ncommitter - <-> 0 +0000\n\nindex\n"


def roots(repository: Repository, *, reflog: bool) -> dict[str, str]:
    """Commits that git keeps and no option of DVC's `gc` keeps, their ancestors too, with names.

    An index becomes a commit that no reference leads to; git removes it after some time.

    Args:
        repository: of the clone.
        reflog: also what only a reflog leads to.

    Raises:
        ProjectError: git cannot read what it keeps.
    """
    names = dict([*_stashes(repository), *_work_trees(repository)])
    options = ["--all", *(["--reflog"] if reflog else []), "--not", *COMMITS]
    head = _resolved(repository.project, "HEAD")  # nothing before the first commit of a branch
    lines = "".join(f"{line}\n" for line in [*names, *(f"^{commit}" for commit in head)])
    listed = git(repository.project, "rev-list", "--stdin", *options, stdin=lines.encode())
    return {commit: names.get(commit, commit[:7]) for commit in listed.decode().split()}


def other_work_trees(repository: Repository) -> Iterator[tuple[Path, bool]]:
    """The folder of the project in each other work tree, and whether the work tree is there."""
    below = repository.project.resolve().relative_to(repository.root.resolve())
    lines = os.fsdecode(git(repository.root, "worktree", "list", "--porcelain")).splitlines()
    roots = [Path(line.removeprefix("worktree ")) for line in lines if line.startswith("worktree ")]
    for root in roots:
        if root.resolve() != repository.root.resolve():
            yield root / below, root.is_dir()


def other_projects(repository: Repository) -> list[Path]:
    """The folders of the other DVC projects in this work tree.

    One repository can hold several projects. They can share a cache and a remote.
    """
    listed = git(repository.root, "ls-files", "-z", "--", f":(top,glob)**/{CONFIG}")
    configs = {repository.root / os.fsdecode(name) for name in listed.split(b"\0") if name}
    projects = [path.parent.parent for path in sorted(configs) if path.is_file()]
    return [path for path in projects if path.resolve() != repository.project.resolve()]


def _stashes(repository: Repository) -> Iterator[tuple[str, str]]:
    """Every entry of every stash: git's, and those in which DVC queues experiments."""
    references = git(repository.project, "for-each-ref", "--format=%(refname)").decode().split("\n")
    for reference in references:
        if reference.rpartition("/")[2] == "stash" and not reference.startswith("refs/heads/"):
            options = ("--walk-reflogs", "--format=%H", reference, "--")
            entries = git(repository.project, "log", *options).decode().split()
            short = reference.removeprefix("refs/")
            for number, commit in enumerate(entries):
                yield commit, f"{short}@{{{number}}}"


def _work_trees(repository: Repository) -> Iterator[tuple[str, str]]:
    """What each work tree has checked out, is about to commit, and needs to finish a command."""
    linked = repository.git_dir / "worktrees"
    for folder in (repository.git_dir, *(sorted(linked.iterdir()) if linked.is_dir() else ())):
        place = "" if folder == repository.git_dir else f" of the work tree {folder.name}"
        for name in UNFINISHED:
            for commit in _resolved(folder, f"--git-dir={folder}", f"{name}^{{commit}}"):
                yield commit, f"{name}{place}"
        for commit in _staged(folder):
            yield commit, f"the index{place}"


def _resolved(folder: Path, *words: str) -> list[str]:
    """The object that the last of git's words names, if there is one."""
    *options, name = words
    return ended(folder, *options, "rev-parse", "--quiet", "--verify", name).stdout.decode().split()


def _staged(git_dir: Path) -> Iterator[str]:
    """The index of a work tree as a commit; of a merge with conflicts each side as one."""
    if not (git_dir / "index").is_file():
        return
    here = f"--git-dir={git_dir}"
    lines = git(git_dir, here, "ls-files", "--stage", "-z").split(b"\0")
    entries = [(line.partition(b"\t")[0].split()[2], line) for line in lines if line]
    with TemporaryDirectory(prefix="bucket-index-") as scratch:
        for side in {number for number, _ in entries}:
            chosen = b"".join(
                line.replace(b" " + number + b"\t", b" 0\t", 1) + b"\0"
                for number, line in entries
                if number in {b"0", side}
            )
            index = str(Path(scratch, side.decode()))
            words = (here, "update-index", "-z", "--index-info")
            git(git_dir, *words, stdin=chosen, GIT_INDEX_FILE=index)
            written = git(git_dir, here, "write-tree", "--missing-ok", GIT_INDEX_FILE=index)
            tree = written.decode().strip()
            if [tree] != _resolved(git_dir, here, "HEAD^{tree}"):
                options = ("-t", "commit", "-w", "--stdin")
                text = COMMIT.format(tree).encode()
                commit = git(git_dir, here, "hash-object", *options, stdin=text)
                yield commit.decode().strip()
