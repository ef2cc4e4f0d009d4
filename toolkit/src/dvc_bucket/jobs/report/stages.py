"""Which stages ran again, why, and with what outcome; and which should have run."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from dvc_bucket.base.formats import is_code
from dvc_bucket.base.packages import FILE
from dvc_bucket.dvc.snapshot import PathRecord, Stage, StageRun
from dvc_bucket.dvc.snapshot.records import named_values
from dvc_bucket.jobs.report.commit_views import ReportedCommit
from dvc_bucket.jobs.report.differences import Outcome, differences

#: The file of a parameter whose name comes without a file.
PARAMS_FILE = "params.yaml:"

#: The file of packages.
PACKAGES_FILE = f"{FILE}:"

Kind = Literal["ran again", "new", "removed", "stale", "never ran"]


@dataclass(frozen=True)
class Reason:
    """A part of a stage that differs.

    Attributes:
        what: parameter, package, code, data, file, command or output.
        name: of the part; empty for the command.
        how: its outcome.
        texts: the values before and after, if it has any.
        maker: the stage that writes it; may be empty.
    """

    what: str
    name: str = ""
    how: Outcome = "changed"
    texts: Sequence[str] = ()
    maker: str = ""


@dataclass(frozen=True)
class StageChange:
    """A stage that a change affects.

    Attributes:
        name: of the stage.
        kind: what happened to it, or should have happened.
        reasons: the parts that differ, of those that it declares to read.
        outs: the outcome of each output, by path.
    """

    name: str
    kind: Kind
    reasons: Sequence[Reason] = ()
    outs: Mapping[str, Outcome] = field(default_factory=dict)

    @property
    def wrote_the_same(self) -> bool:
        """Whether all outputs kept their bytes."""
        return all(outcome == "same" for outcome in self.outs.values())


@dataclass(frozen=True)
class PackageChange:
    """A package of which stages ran with another version than before.

    Attributes:
        name: of the package.
        texts: its version before and after.
        stages: those that another version reruns, in their order.
    """

    name: str
    texts: Sequence[str]
    stages: Sequence[str]


def packages(changed: Sequence[StageChange]) -> list[PackageChange]:
    """The packages with another version, in order."""
    stages: dict[tuple[str, ...], list[str]] = {}
    for change in changed:
        for reason in change.reasons:
            if reason.what == "package" and reason.how == "changed":
                stages.setdefault((reason.name, *reason.texts), []).append(change.name)
    return [PackageChange(key[0], key[1:], names) for key, names in sorted(stages.items())]


def changes(base: ReportedCommit, head: ReportedCommit) -> list[StageChange]:
    """The stages that ran, are new or were removed, each after its upstream stages."""
    before = {run.name: run for run in base.snapshot.runs}
    changed = []
    for run in head.snapshot.runs:
        earlier = before.get(run.name)
        outs = differences(_hashes(earlier.writes if earlier else ()), _hashes(run.writes))
        reasons = _reasons(earlier, run, base, head) if earlier else []
        change = StageChange(run.name, "ran again" if earlier else "new", reasons, outs)
        if not earlier or reasons or not change.wrote_the_same:
            changed.append(change)
    declared = {stage.title for stage in head.snapshot.stages}
    removed = [stage.title for stage in base.snapshot.stages if stage.title not in declared]
    return changed + [StageChange(name, "removed") for name in removed]


def stale(head: ReportedCommit) -> list[StageChange]:
    """The stages whose record does not fit the commit. Frozen stages are left out."""
    misfits = []
    for stage in head.snapshot.stages:
        reasons = list(_misfits(stage, stage.run, head)) if stage.run else []
        if not stage.is_frozen and (reasons or not stage.run):
            kind: Kind = "stale" if reasons else "never ran"
            misfits.append(StageChange(stage.title, kind, reasons))
    return misfits


def _reasons(
    before: StageRun, after: StageRun, base: ReportedCommit, head: ReportedCommit
) -> list[Reason]:
    """The differences between what two runs read."""
    reads = differences(_hashes(before.reads), _hashes(after.reads))
    files = [
        _of_file(path, how, base if how == "gone" else head, head)
        for path, how in reads.items()
        if how != "same"
    ]
    command = Reason("command", texts=(before.command, after.command))
    return [
        *([command] if before.command != after.command else []),
        *_of_values(dict(before.values), dict(after.values)),
        *sorted(files, key=lambda reason: (reason.what, reason.name)),
    ]


def _misfits(stage: Stage, run: StageRun, head: ReportedCommit) -> Iterator[Reason]:
    """The differences between what a run read and wrote, and what the commit has."""
    if stage.command_changed:
        yield Reason("command")
    locked = named_values({file: params.locked for file, params in stage.params.items()})
    current = named_values({file: params.current for file, params in stage.params.items()})
    recorded = {name: value for name, value in run.values if name in locked}
    yield from _of_values(recorded, current)
    read, written = _hashes(run.reads), _hashes(run.writes)
    declared = [dep.path for dep in stage.deps]
    yield from (_of_file(path, "new", head, head) for path in declared if path not in read)
    for item in run.reads:
        if item.path in declared and _is_other(item, head):
            yield _of_file(item.path, "changed", head, head)
    yield from (Reason("output", out.path, "new") for out in stage.outs if out.path not in written)
    yield from (Reason("output", out.path) for out in run.writes if head.has_changed(out))


def _is_other(item: PathRecord, head: ReportedCommit) -> bool:
    """Whether the commit has another content than a stage read."""
    out = head.snapshot.outs.get(item.path)
    if out and out.hash:
        return out.hash != item.hash
    return head.has_changed(item)


def _of_values(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Reason]:
    """Parameters that differ, compared as DVC does: 1 is 1.0, and a tuple is a list."""
    was, now = (
        {name: list(value) if isinstance(value, tuple) else value for name, value in side.items()}
        for side in (before, after)
    )
    for name, how in differences(was, now).items():
        values = [side[name] for side in (was, now) if name in side]
        if how != "same" and name.startswith(PACKAGES_FILE):
            yield Reason("package", name.removeprefix(PACKAGES_FILE), how, list(map(str, values)))
        elif how != "same":
            texts = [json.dumps(value, default=str) for value in values]
            yield Reason("parameter", name.removeprefix(PARAMS_FILE), how, texts)


def _of_file(path: str, how: Outcome, side: ReportedCommit, head: ReportedCommit) -> Reason:
    """A dependency that differs."""
    file = side.revision.files.get(path)
    if side.output(path) is not None:
        kind = "data"
    else:
        kind = "code" if is_code(path) or (file and file.is_executable) else "file"
    maker = head.makers.get(path)
    return Reason(kind, path, how, maker=maker.name if maker else "")


def _hashes(records: Sequence[PathRecord]) -> dict[str, str]:
    return {record.path: record.hash for record in records}
