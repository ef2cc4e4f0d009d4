"""Which stages ran again, why, and with what outcome; and which should have."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dvc_bucket.base.formats import is_code
from dvc_bucket.dvc.commit_view import CommitView
from dvc_bucket.dvc.snapshot import PathRecord, Stage, StageRun, leaves


@dataclass(frozen=True)
class Reason:
    """Something of a stage that is not what it was.

    Attributes:
        what: parameter, code, data, file, command or output.
        name: of it; empty for the command.
        how: what became of it, in a word or two.
        before: as text, where it is a value.
        after: as text, where it is a value.
        maker: the stage that makes it; may be empty.
    """

    what: str
    name: str = ""
    how: str = "changed"
    before: str | None = None
    after: str | None = None
    maker: str = ""


@dataclass(frozen=True)
class Change:
    """What a change did to a stage.

    Attributes:
        name: of the stage.
        kind: what became of it.
        reasons: what is not as it was before; of what it declares to read.
        outs: how each output is now, by path: same, changed, new, gone.
    """

    name: str
    kind: Literal["ran again", "new", "removed"]
    reasons: Sequence[Reason]
    outs: Mapping[str, str]

    @property
    def wrote_the_same(self) -> bool:
        """Whether all outputs have the bytes that they had."""
        return all(how == "same" for how in self.outs.values())


@dataclass(frozen=True)
class Stale:
    """A stage whose record does not fit the commit, and why."""

    name: str
    reasons: Sequence[Reason]


def changes(base: CommitView, head: CommitView) -> list[Change]:
    """The stages that ran, came or went, each after those whose outputs it reads."""
    before = {stage.name: stage for stage in base.snapshot.runs}
    declared = {one.title for one in head.snapshot.stages}
    found = []
    for stage in head.snapshot.runs:
        if stage.name not in before:
            outs = {item.path: "new" for item in stage.writes}
            found.append(Change(stage.name, "new", (), outs))
        elif change := _change(before[stage.name], stage, base, head):
            found.append(change)
    gone = [one.title for one in base.snapshot.stages if one.title not in declared]
    return found + [Change(name, "removed", (), {}) for name in gone]


def _change(before: StageRun, after: StageRun, base: CommitView, head: CommitView) -> Change | None:
    """What differs between two records; None if nothing does."""
    reasons = []
    if before.command != after.command:
        reasons.append(Reason("command", "", "changed", before.command, after.command))
    reasons += _values(dict(before.values), dict(after.values))
    was, now = _hashes(before.reads), _hashes(after.reads)
    reads = [(path, how) for path, how in sorted(_differences(was, now).items()) if how != "same"]
    kinds = {path: _kind(path, head if path in now else base) for path, _ in reads}
    for kind in ("code", "data", "file"):
        reasons += [
            Reason(kind, path, how, maker=_maker(path, head))
            for path, how in reads
            if kinds[path] == kind
        ]
    outs = _differences(_hashes(before.writes), _hashes(after.writes))
    change = Change(after.name, "ran again", reasons, outs)
    return change if reasons or not change.wrote_the_same else None


def stale(head: CommitView) -> list[Stale]:
    """The stages that are to be run again, or were not run at all."""
    found = []
    for stage in head.snapshot.stages:
        if stage.is_frozen:
            continue
        reasons = (
            list(_misfits(stage, stage.run, head))
            if stage.run
            else [Reason("record", how="missing")]
        )
        if reasons:
            found.append(Stale(stage.title, reasons))
    return found


def _misfits(stage: Stage, run: StageRun, head: CommitView) -> Iterator[Reason]:
    """Where the last run had another command, parameter or content than the commit has."""
    if stage.command_changed:
        yield Reason("command")
    declared = [f"{file}:{key}" for file, of in stage.params.items() for key in of.keys or [""]]
    recorded = {
        name: value for name, value in run.values if any(_is_of(name, key) for key in declared)
    }
    current = {
        f"{file}:{name}": value
        for file, of in stage.params.items()
        for name, value in leaves(of.current)
    }
    yield from _values(recorded, current)
    read, written = _hashes(run.reads), _hashes(run.writes)
    deps = [dep.path for dep in stage.deps]
    for path in deps:
        if path not in read:
            yield Reason(_kind(path, head), path, "new")
    for item in run.reads:
        if item.path in deps and _is_other(item, head):
            yield Reason(_kind(item.path, head), item.path, maker=_maker(item.path, head))
    for out in stage.outs:
        if out.path not in written:
            yield Reason("output", out.path, "new")
    for item in run.writes:
        if head.has_changed(item):
            yield Reason("output", item.path)


def _is_other(item: PathRecord, head: CommitView) -> bool:
    """Whether the commit has something else than what a stage read."""
    out = head.snapshot.outs.get(item.path)
    if out and out.hash:
        return out.hash != item.hash
    return head.has_changed(item)


def _is_of(name: str, key: str) -> bool:
    """Whether a parameter, by its whole name, is what a stage declares, or a part of it."""
    return name == key or name.startswith(key if key.endswith(":") else f"{key}.")


def _values(before: Mapping[str, object], after: Mapping[str, object]) -> list[Reason]:
    """Parameters that differ, as DVC compares them: 1 is 1.0."""
    was, now = (
        {name: list(value) if isinstance(value, tuple) else value for name, value in side.items()}
        for side in (before, after)
    )
    return [
        Reason("parameter", name, how, _text(was, name), _text(now, name))
        for name, how in _differences(was, now).items()
        if how != "same"
    ]


def _text(values: Mapping[str, object], name: str) -> str | None:
    return json.dumps(values[name], default=str) if name in values else None


def _differences(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, str]:
    """What became of each name: same, changed, new, gone."""
    found = {
        name: "same" if value == after.get(name) else "changed" for name, value in before.items()
    }
    found |= dict.fromkeys(before.keys() - after.keys(), "gone")
    return found | {name: "new" for name in after if name not in before}


def _hashes(items: Sequence[PathRecord]) -> dict[str, str]:
    return {item.path: item.hash for item in items}


def _kind(path: str, side: CommitView) -> str:
    """What a dependency is to a reader."""
    if side.output(path) is not None:
        return "data"
    file = side.revision.files.get(path)
    return "code" if is_code(path) or (file and file.is_executable) else "file"


def _maker(path: str, side: CommitView) -> str:
    maker = side.makers.get(path)
    return maker.name if maker else ""
