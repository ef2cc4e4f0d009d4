"""Which objects commits need, and what of their data is not to be on the remote."""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.audit.findings import Need, Needs, Revision, Unchecked
from dvc_bucket.dvc.patched import hashes
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.remote.outputs import LEGACY, absence, name_of, opened, outputs
from dvc_bucket.dvc.remote.unseen import unseen

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.types import Output


def collect(project: Project, groups: Iterable[Sequence[Revision]], remote: str) -> Needs:
    """The objects that the remote must hold for the revisions.

    Args:
        project: the clone.
        groups: revisions that need the same, in groups.
        remote: DVC's name of it.

    Raises:
        ProjectError: DVC cannot open the project.
    """
    with opened(project) as repo:
        needs = Needs(Path(repo.cache.legacy.path))
        for group in groups:
            commit = group[0].commit
            try:
                with repo.switch(commit) if commit else nullcontext():
                    outs = outputs(repo)
                    hidden = unseen(project, repo, commit)
            except Exception as error:
                why = f"DVC cannot read it: {str(error).strip().splitlines()[0]}"
                needs.unreadable.setdefault(Unchecked("", why), []).extend(group)
                continue
            for path, why in hidden.items():
                needs.unreadable.setdefault(Unchecked(path, why), []).extend(group)
            for found in outs:
                _sort_in(found, needs, group, remote)
    return needs


def file_md5(path: Path, name: bytes) -> str:
    """The hash of a file, as the object `name` has to have it."""
    with path.open("rb") as file:
        return stream_md5(file, name)


def stream_md5(file: BinaryIO, name: bytes) -> str:
    """The hash of what a file gives, as the object `name` has to have it."""
    return hashes.md5(file, LEGACY if is_dos2unix(name) else "md5")


def is_dos2unix(name: bytes) -> bool:
    """Whether the object's hash is one of text with Unix line ends; never that of a list."""
    return ids.is_legacy(name) and not ids.is_list(name)


def _sort_in(
    found: tuple[str, "Output"], needs: Needs, group: Sequence[Revision], remote: str
) -> None:
    """Put an output to what is needed, or to what is not to be on the remote."""
    dataset, out = found
    if why := _elsewhere(out, remote):
        needs.unchecked.setdefault(Unchecked(dataset, why), []).extend(group)
        return
    try:
        name = name_of(out)
    except ValueError as error:
        needs.unreadable.setdefault(Unchecked(dataset, f"{error}."), []).extend(group)
        return
    size = out.meta.size if out.meta else None
    needs.needed.setdefault(Need(dataset, name, size), []).extend(group)


def _elsewhere(out: "Output", remote: str) -> str:
    """Why an output's data is not to be on the remote; empty if it is."""
    if why := absence(out):
        return why
    if not out.can_push:
        return "not to be pushed (push: false)"
    if out.remote and out.remote != remote:
        return f"in another remote: `bucket verify --remote {out.remote}`"
    return ""
