"""Merges two branches' lock files stage by stage.

For each stage, upstream stages first:

- only one branch changed its entry: that entry;
- both changed it: the entry whose command, parameters and inputs are the merged ones. If that is
  neither or both of them, the stage has no entry, and DVC runs it again.

At last, an entry is removed if it read another content than the merged upstream stage wrote, unless
the same was so on the branch that it is from.

The tracked files of the merge are not needed, and cannot be read: git has not written them yet. An
entry has the hash of every file that its stage read. So where only one branch ran a stage, the
other did not change an input of it. A lock file that was out of date before the merge is so
afterwards, and `dvc status` says so.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from dvc_bucket.dvc.lock import entries
from dvc_bucket.dvc.lock.entries import Entry, Lock

#: Instead of a value that both sides changed, each in its own way.
CONFLICT = object()

#: Why a stage has no entry.
RUN_TWICE = "run on both sides"
REMOVED = "removed on one side, run on the other"

Stages = Mapping[str, Entry]

#: A command, path or parameter that a run depends on; and its hash, or its value as text.
Input = tuple[str, ...]
Inputs = dict[Input, str]


@dataclass(frozen=True)
class Merged:
    """The merged lock file.

    Attributes:
        lock: without the stages to run again.
        dropped: those stages, and why.
    """

    lock: Lock
    dropped: Mapping[str, str]


class ConflictError(Exception):
    """Both sides changed something other than stages, each in its own way."""


def merge(base: Lock, ours: Lock, theirs: Lock) -> Merged:
    """Merge what two sides made of `base`.

    Raises:
        ConflictError: both changed something other than stages, each in its own way.
    """
    stages, dropped = _merge_stages(*map(entries.stages, (base, ours, theirs)))
    lock: Lock = {
        key: stages
        if key == "stages"
        else _merge_other(key, base.get(key), ours.get(key), theirs.get(key))
        for key in {**ours, **theirs}
    }
    return Merged({key: value for key, value in lock.items() if value is not None}, dropped)


def _merge_stages(
    base: Stages, ours: Stages, theirs: Stages
) -> tuple[dict[str, Entry], dict[str, str]]:
    """The merged entries in the order of the files, and why the others are dropped."""
    merged: dict[str, Entry] = {}
    dropped: dict[str, str] = {}
    written: Inputs = {}
    for name in _upstream_first(ours, theirs):
        sides = [side.get(name) for side in (base, ours, theirs)]
        entry = _three_way(*sides)
        if entry is CONFLICT:
            entry = _fitting(written, *sides)
            if entry is None:
                dropped[name] = RUN_TWICE if name in ours and name in theirs else REMOVED
        if entry is not None:
            merged[name] = entry
            written |= _hashes(entry, "outs")
    misfits_before = {
        misfit
        for side in (ours, theirs)
        for misfit in _misfits(side)
        if side[misfit[0]] == merged.get(misfit[0])
    }
    for name, path, *_ in sorted(_misfits(merged) - misfits_before):
        merged.pop(name, None)
        dropped[name] = f"run on one side, with a different {path}"
    return {name: merged[name] for name in {**ours, **theirs} if name in merged}, dropped


def _three_way(base: Any, ours: Any, theirs: Any) -> Any:
    """The value of the side that changed it; CONFLICT if both did, each in its own way."""
    if _text(ours) == _text(theirs) or _text(theirs) == _text(base):
        return ours
    return theirs if _text(ours) == _text(base) else CONFLICT


def _text(value: Any) -> str:
    """A value as text. Python takes 1, 1.0 and true for equal; their texts differ."""
    return json.dumps(value, sort_keys=True, default=str)


def _fitting(
    written: Inputs, base: Entry | None, ours: Entry | None, theirs: Entry | None
) -> Entry | None:
    """Of two entries of a stage, the one with the merged inputs; None if neither or both have them.

    Args:
        written: what the merged upstream stages wrote.
        base: the entry that both come from; None if there was none.
        ours: the entry of one side; None if it removed the stage.
        theirs: the entry of the other side; None if it removed the stage.
    """
    if ours is None or theirs is None:
        return None
    before, left, right = map(_inputs, (base or {}, ours, theirs))
    names = {**left, **right}
    merged = {name: _three_way(before.get(name), left.get(name), right.get(name)) for name in names}
    merged |= {name: content for name, content in written.items() if name in names}
    wanted = {name: content for name, content in merged.items() if content is not None}
    fitting = [entry for entry, inputs in ((ours, left), (theirs, right)) if inputs == wanted]
    return fitting[0] if len(fitting) == 1 else None


def _inputs(entry: Entry) -> Inputs:
    """All that a run depends on."""
    inputs = {("command",): _text(entry.get("cmd"))} | _hashes(entry, "deps")
    for file, values in (entry.get("params") or {}).items():
        inputs |= {("param", file, key): _text(value) for key, value in values.items()}
    return inputs


def _hashes(entry: Entry | None, kind: str) -> Inputs:
    """The hashes of what a run read (`deps`) or wrote (`outs`)."""
    items = entries.paths(entry, kind).items()
    return {("path", path): entries.hash_of(item) for path, item in items}


def _upstream_first(ours: Stages, theirs: Stages) -> list[str]:
    """All stages, each after those that write what it reads on either side."""
    names = list({**ours, **theirs})
    makers: defaultdict[Input, set[str]] = defaultdict(set)
    for side in (ours, theirs):
        for name, entry in side.items():
            for output in _hashes(entry, "outs"):
                makers[output].add(name)
    graph: dict[str, set[str]] = {name: set() for name in names}
    for side in (ours, theirs):
        for name, entry in side.items():
            graph[name].update(*(makers[read] for read in _hashes(entry, "deps")))
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError:  # one side reversed a part of the flow
        return names


def _misfits(side: Stages) -> set[tuple[str, str, str, str]]:
    """Stage, path, hash read and hash written of each input that is not as it was written."""
    written: Inputs = {}
    for entry in side.values():
        written |= _hashes(entry, "outs")
    return {
        (name, read[-1], content, written[read])
        for name, entry in side.items()
        for read, content in _hashes(entry, "deps").items()
        if written.get(read, content) != content
    }


def _merge_other(key: str, base: Any, ours: Any, theirs: Any) -> Any:
    """A part of the file other than the stages: a value, or a list whose members have names."""
    sides = [_by_name(side) for side in (base, ours, theirs)]
    is_list = bool(sides[1] and sides[2])
    columns = [[side.get(name) for side in sides] for name in {**sides[1], **sides[2]}]
    values = [_three_way(*column) for column in (columns if is_list else [[base, ours, theirs]])]
    if CONFLICT in values:
        raise ConflictError(key)
    return [value for value in values if value is not None] if is_list else values[0]


def _by_name(values: Any) -> dict[str, Any]:
    """The members of a list by their names; nothing if it is another kind of value."""
    is_list = isinstance(values, Sequence) and not isinstance(values, str)
    if not is_list or not all(isinstance(value, Mapping) and "name" in value for value in values):
        return {}
    return {str(value["name"]): value for value in values}
