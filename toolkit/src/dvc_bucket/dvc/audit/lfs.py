"""Which objects of Git LFS commits need, and where this clone has copies of them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.audit.findings import NamedCommit, Need, Needs
from dvc_bucket.dvc.audit.revisions import Selection, everywhere
from dvc_bucket.dvc.remote import ids
from dvc_bucket.git import lfs_layout as layout
from dvc_bucket.git.contents import Entry, Repository
from dvc_bucket.git.lfs_layout import Pointer

#: Their row in the table.
DATASET = "Git LFS"


def collect(
    project: Project, needs: Needs, commits: Iterable[NamedCommit], selection: Selection
) -> bool:
    """Add to `needs` the objects of these commits; of the workspace, those that git would commit.

    Returns:
        Whether any file is one of Git LFS.

    Raises:
        ProjectError: git cannot read the commits.
    """
    repository = Repository.of(project)
    files: list[tuple[NamedCommit, Sequence[Entry]]] = [
        (commit, repository.files(commit.commit) if commit.commit else repository.tracked())
        for commit in commits
        if commit.names or not commit.commit
    ]
    if selection.all_commits:
        history = repository.history([*everywhere(project), *selection.revs])
        files += [(NamedCommit(entry.commit), [entry]) for entry in history if entry.path]
    pointers = pointers_in(repository, {entry.id for _, entries in files for entry in entries})
    for commit, entries in files:
        for entry in entries:
            if pointer := pointers.get(entry.id):
                need = Need(DATASET, entry.path, ids.of_lfs(pointer.oid), pointer.size)
                needs.needed.setdefault(need, []).append(commit)
    return bool(pointers)


def pointers_in(repository: Repository, ids_of_contents: Iterable[str]) -> dict[str, Pointer]:
    """Those of git's contents that are pointers, by their ids."""
    sizes = repository.sizes(sorted(ids_of_contents))
    small = [content for content, size in sizes.items() if size < layout.POINTER_BYTES]
    with repository.contents() as read:
        texts = {
            content: b"".join(piece.data for piece in read(content) or ()) for content in small
        }
    pointers = {content: Pointer.parse(text) for content, text in texts.items()}
    return {content: pointer for content, pointer in pointers.items() if pointer}


def local_copy(repository: Repository, name: bytes) -> Path:
    """Where git-lfs has an object, or would have it."""
    below = ids.path(name).removeprefix(layout.FOLDER)
    return layout.storage(repository) / "objects" / below
