"""The experiments of a commit side by side: what was varied, and what came of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.patched import listed_experiments
from dvc_bucket.dvc.patched.listed_experiments import Experiment
from dvc_bucket.dvc.snapshot import leaves
from dvc_bucket.git.contents import Repository, commit_of, git
from dvc_bucket.jobs.report.commit_views import offline
from dvc_bucket.jobs.report.markdown import LARGEST
from dvc_bucket.jobs.report.plots import Plot, Point
from dvc_bucket.jobs.report.stages import PARAMS_FILE


class Name(NamedTuple):
    """The name of a value; a metric may have that of a parameter.

    Attributes:
        text: with its file, where it is not the usual one.
        is_metric: it is no parameter.
    """

    text: str
    is_metric: bool = False


@dataclass(frozen=True)
class Row:
    """An experiment, or the commit that all of them begin with.

    Attributes:
        name: empty for the commit.
        commit: full id.
        values: parameters and metrics by name; what it does not have is not there.
        is_readable: DVC can read its files.
    """

    name: str
    commit: str
    values: Mapping[Name, Any]
    is_readable: bool


@dataclass(frozen=True)
class Experiments:
    """The experiments of a commit.

    Attributes:
        commit: full id of the commit that they begin with.
        subject: first line of its message.
        rows: that commit, then its experiments, in the order of what was varied.
        params: names of the parameters in which they differ.
        metrics: names of the metrics in which they differ.
        same: names of the other metrics.
        unread: experiments and files of metrics or parameters that cannot be read; the commit may
            have no results yet.
        plots: each metric in which they differ, over what was varied.
    """

    commit: str
    subject: str
    rows: Sequence[Row]
    params: Sequence[Name]
    metrics: Sequence[Name]
    same: Sequence[Name]
    unread: Sequence[tuple[str, str]]
    plots: Sequence[Plot]


def compare(project: Project, head: str = "HEAD") -> Experiments:
    """The experiments of a commit, from git and DVC's cache; the bucket is not asked.

    Args:
        project: in a git repository.
        head: branch, tag or commit that they begin with.

    Raises:
        RevisionError: there is no such commit.
        ProjectError: DVC cannot read its files.
        ExperimentError: the project is in no git repository.
    """
    commit = commit_of(Repository.of(project), head)
    subject = git(project.root, "log", "--max-count=1", "--format=%s", commit)
    with offline(project) as repo:
        listed = listed_experiments.of_commit(repo, commit)
    return side_by_side(listed, subject.decode(errors="replace").strip())


def side_by_side(listed: Sequence[Experiment], subject: str) -> Experiments:
    """Compare a commit, which is the first, with its experiments."""
    only = _only_file(listed)
    params = {one.commit: _named(one.params, PARAMS_FILE, is_metric=False) for one in listed}
    metrics = {one.commit: _named(one.metrics, only, is_metric=True) for one in listed}
    varied, _ = _parted(params.values())
    differing, same = _parted(metrics.values())
    rows = [
        Row(one.name, one.commit, params[one.commit] | metrics[one.commit], one.is_readable)
        for one in listed
    ]
    experiments = sorted(rows[1:], key=lambda row: [*_ranks(row, varied), row.name])
    return Experiments(
        commit=listed[0].commit,
        subject=subject,
        rows=[rows[0], *experiments],
        params=varied,
        metrics=differing,
        same=same,
        unread=[(one.name, file) for one in listed[1:] for file in _unread(one)],
        plots=[_plot(name, experiments, varied) for name in differing],
    )


def _named(contents: Mapping[str, Any], plain: str, *, is_metric: bool) -> dict[Name, Any]:
    """Values by file and name; those of one file come without it."""
    named: dict[Name, Any] = {}
    for file, content in contents.items():
        values = leaves(content) if isinstance(content, Mapping) else [("", content)]
        for name, value in values:
            text = f"{file}:{name}".removeprefix(plain).rstrip(":")
            named |= {} if value is None else {Name(text, is_metric): value}
    return named


def _only_file(listed: Iterable[Experiment]) -> str:
    """The beginning of the names of metrics, if all are in one file."""
    files = {file for one in listed for file in one.metrics}
    return f"{next(iter(files))}:" if len(files) == 1 else ":"


def _parted(sides: Iterable[Mapping[Name, Any]]) -> tuple[list[Name], list[Name]]:
    """The names that tell the sides apart, and the others: those with one value wherever they are.

    A name that only one side has tells it apart.
    """
    values: dict[Name, list[str]] = {}
    for side in sides:
        for name, value in side.items():
            values.setdefault(name, []).append(repr(value))
    same = [name for name, found in values.items() if len(found) > 1 and len({*found}) == 1]
    return [name for name in values if name not in same], same


def _ranks(row: Row, names: Sequence[Name]) -> list[tuple[bool, float, str]]:
    """What experiments are ordered by: numbers by their size, before all else."""
    ranks = []
    for value in (row.values.get(name) for name in names):
        number = float(value) if value is not None and _is_number(value) else None
        ranks.append((number is None, number or 0.0, str(value) if number is None else ""))
    return ranks


def _plot(metric: Name, rows: Sequence[Row], varied: Sequence[Name]) -> Plot:
    """A metric over the parameter that was varied; over the experiments, if that does not do."""
    axis, labels = "experiment", [row.name for row in rows]
    if len(varied) == 1:
        values = [str(row.values.get(varied[0], "")) for row in rows]
        if len({*values}) == len(values):
            axis, labels = varied[0].text, values
    points = [
        Point(label, float(row.values[metric]))
        for label, row in zip(labels, rows, strict=True)
        if _is_number(row.values.get(metric))
    ]
    return Plot(metric.text, axis, metric.text, [], points, has_changed=True)


def _is_number(value: Any) -> bool:
    """Whether it can be drawn and ordered: no NaN, and no integer of hundreds of digits."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= LARGEST


def _unread(one: Experiment) -> list[str]:
    files = {**one.params, **one.metrics}
    return [file for file, content in files.items() if content is None]
