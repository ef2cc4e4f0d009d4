"""Which objects of DVC commits need, and which of their data does not belong on the remote."""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.audit.findings import NamedCommit, Need, Needs, SkippedData
from dvc_bucket.dvc.remote.outputs import absence, name_of, opened, origin, outputs
from dvc_bucket.dvc.remote.unseen import unseen

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.types import Output


def collect(project: Project, groups: Iterable[Sequence[NamedCommit]], remote: str) -> Needs:
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
            except Exception as error:  # the edge to DVC, to which any file is new
                said = str(error).strip().partition("\n")[0] or type(error).__name__
                why = f"DVC cannot read it: {said}"
                needs.unreadable.setdefault(SkippedData("", why), []).extend(group)
                continue
            for path, why in hidden.items():
                needs.unreadable.setdefault(SkippedData(path, why), []).extend(group)
            for dataset, out in outs:
                _sort_in(dataset, out, needs, group, remote)
    return needs


def _sort_in(
    dataset: str, out: "Output", needs: Needs, group: Sequence[NamedCommit], remote: str
) -> None:
    """Add an output to what is needed, or to what does not belong on the remote."""
    if why := _elsewhere(out, remote):
        skipped = SkippedData(dataset, why)
        if (come_from := origin(out)) and out.hash_info:
            with suppress(ValueError):  # a hash that is no MD5
                skipped = SkippedData(dataset, why, come_from, name_of(out))
        needs.left_out.setdefault(skipped, []).extend(group)
        return
    try:
        need = Need(dataset, dataset, name_of(out), out.meta.size if out.meta else None)
    except ValueError as error:
        needs.unreadable.setdefault(SkippedData(dataset, f"{error}."), []).extend(group)
        return
    needs.needed.setdefault(need, []).extend(group)


def _elsewhere(out: "Output", remote: str) -> str:
    """Why the data of an output does not belong on the remote; empty if it does."""
    if why := absence(out):
        return why
    if not out.can_push:
        return "excluded from pushes (push: false)"
    if out.remote and out.remote != remote:
        return f"in another remote: `bucket verify --remote {out.remote}`"
    return ""
