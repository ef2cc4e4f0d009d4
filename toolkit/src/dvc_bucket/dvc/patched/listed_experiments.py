"""The experiments of a commit, with their parameters and metrics, as DVC lists them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from dvc_bucket.base.errors import ExperimentError
from dvc_bucket.dvc.patched.differences import require
from dvc_bucket.dvc.patched.repository import has_git
from dvc_bucket.dvc.patched.touch_points import LISTING

if TYPE_CHECKING:
    from dvc.repo import Repo


class Experiment(NamedTuple):
    """An experiment, or the commit that it begins with.

    Attributes:
        name: empty for the commit.
        commit: full id of its commit.
        params: the content of each file of parameters; None for one that cannot be read.
        metrics: the content of each file of metrics; likewise.
        is_readable: DVC can read its files.
    """

    name: str
    commit: str
    params: Mapping[str, Any]
    metrics: Mapping[str, Any]
    is_readable: bool = True


def of_commit(repo: "Repo", commit: str) -> list[Experiment]:
    """A commit, then its experiments; those that wait, run or failed are left out.

    Raises:
        DvcDiffersError: this DVC lists them in another way.
        ExperimentError: the project is in no git repository.
    """
    require(LISTING)
    if not has_git(repo):
        raise ExperimentError(
            f"{repo.root_dir} is not in a git repository, so it has no experiments."
        )
    hidden = {"hide_queued": True, "hide_failed": True, "hide_workspace": True}
    [state] = repo.experiments.show(revs=[commit], **hidden)
    ended = [
        one
        for one in state.experiments or ()
        if not (one.executor and one.executor.state == "running")
    ]
    return [_read(state, ""), *(_read(one.revs[0], one.name or "") for one in ended)]


def _read(state: Any, name: str) -> Experiment:
    if state.data is None:
        return Experiment(name, state.rev, {}, {}, is_readable=False)
    params, metrics = (
        {path: None if file.get("error") else file.get("data") for path, file in files.items()}
        for files in (state.data.params, state.data.metrics)
    )
    return Experiment(name, state.rev, params, metrics)
