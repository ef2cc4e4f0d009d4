"""Two branches' lock files as one, stage by stage.

What git-tracked files will hold after the merge cannot be known here: git merges them in memory and
has written none of them yet. It need not be. A lock file notes the hash of every file that a stage
read, so where a stage was run on one branch only, the other branch did not change what it reads, or
its own note would have changed too. Where a branch was committed with a stale lock file, the merged
one is as stale, and `dvc status` says so: it looks at the files themselves.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from dvc_bucket.dvc.lock import entries
from dvc_bucket.dvc.lock.entries import Entry, Lock

#: Of what cannot be known: two sides that both differ from the base, and from one another.
UNKNOWN = object()

Stages = Mapping[str, Entry]


@dataclass(frozen=True)
class Merged:
    """The outcome.

    Attributes:
        lock: without the stages that are to be run again.
        dropped: those stages, and why.
    """

    lock: Lock
    dropped: Mapping[str, str]


class ConflictError(Exception):
    """Something other than stages that both sides changed, each in its own way."""


def merge(base: Lock, ours: Lock, theirs: Lock) -> Merged:
    """Merge what two sides made of `base`.

    A stage that one side ran is taken from there. Of one that both ran, the side is taken whose
    command, inputs and parameters are what the merge makes of them. A stage for which that is
    neither or both is left out, and so is one whose input is the output of a stage taken from the
    other side, and another one there.

    Raises:
        ConflictError: both changed something else, each in its own way.
    """
    merger = _Merger(entries.stages(base), entries.stages(ours), entries.stages(theirs))
    for name in merger.in_order():
        merger.pick(name)
    merger.drop_what_does_not_fit()
    lock = {}
    for key in dict.fromkeys([*ours, *theirs]):
        sides = [side.get(key) for side in (base, ours, theirs)]
        value = merger.in_file_order() if key == "stages" else _rest(key, *sides)
        if value is not None:
            lock[key] = value
    return Merged(lock, merger.dropped)


def _rest(key: str, base: Any, ours: Any, theirs: Any) -> Any:
    """A part of the file that is not the stages: a value, or a list of what has names."""
    tables = [_by_name(side) for side in (base, ours, theirs)]
    if not all(tables[1:]):
        return _known(key, _three_way(base, ours, theirs))
    of_base, of_ours, of_theirs = tables
    values = [
        _known(key, _three_way(of_base.get(name), of_ours.get(name), of_theirs.get(name)))
        for name in dict.fromkeys([*of_ours, *of_theirs])
    ]
    return [value for value in values if value is not None]


def _by_name(values: Any) -> dict[str, Any]:
    """The members of a list by their names; nothing if it is none of that kind."""
    if not isinstance(values, Sequence) or isinstance(values, str):
        return {}
    if not all(isinstance(value, Mapping) and "name" in value for value in values):
        return {}
    return {str(value["name"]): value for value in values}


def _known(key: str, value: Any) -> Any:
    if value is UNKNOWN:
        raise ConflictError(key)
    return value


def _three_way(base: Any, ours: Any, theirs: Any) -> Any:
    """The value that a side changed; UNKNOWN if both did, each in its own way."""
    if _text(ours) == _text(theirs) or _text(theirs) == _text(base):
        return ours
    return theirs if _text(ours) == _text(base) else UNKNOWN


def _text(value: Any) -> str:
    """A value so that those of different type differ, as 1 and true do."""
    return json.dumps(value, sort_keys=True, default=str)


@dataclass
class _Merger:
    """Decides on one stage after the other.

    Attributes:
        picked: the stages that are in the outcome.
        made: hash, by path, of what they wrote.
    """

    base: Stages
    ours: Stages
    theirs: Stages
    picked: dict[str, Entry] = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The stages of both sides: ours in their order, then those that only theirs has."""
        return list(dict.fromkeys([*self.ours, *self.theirs]))

    def in_order(self) -> list[str]:
        """The stages, each after those that make what it reads on either side."""
        makers: defaultdict[str, set[str]] = defaultdict(set)
        sides = (self.ours, self.theirs)
        for name in self.names:
            for side in sides:
                for path in entries.paths(side.get(name), "outs"):
                    makers[path].add(name)
        graph = {
            name: set().union(
                *(makers[path] for side in sides for path in entries.paths(side.get(name), "deps"))
            )
            for name in self.names
        }
        try:
            return list(TopologicalSorter(graph).static_order())
        except CycleError:  # one side turned a part of the flow round
            return self.names

    def in_file_order(self) -> dict[str, Entry]:
        """What was picked."""
        return {name: self.picked[name] for name in self.names if name in self.picked}

    def pick(self, name: str) -> None:
        """Decide on a stage."""
        base, ours, theirs = (side.get(name) for side in (self.base, self.ours, self.theirs))
        entry = _three_way(base, ours, theirs)
        if entry is UNKNOWN:
            entry = self._of_both(name, base, ours, theirs)
        if entry is not None:
            self.picked[name] = entry
            self.made |= _hashes(entry, "outs")

    def _of_both(
        self, name: str, base: Entry | None, ours: Entry | None, theirs: Entry | None
    ) -> Entry | None:
        """Of a stage that both sides changed: the note that fits the merged inputs."""
        if ours is None or theirs is None:
            self.dropped[name] = "removed on one side, run on the other"
            return None
        wanted = self._wanted(_inputs(base or {}), _inputs(ours), _inputs(theirs))
        fitting = [side for side in (ours, theirs) if _inputs(side) == wanted]
        if len(fitting) == 1:
            return fitting[0]
        self.dropped[name] = "run on both sides"
        return None

    def _wanted(self, *inputs: "_Inputs") -> "_Inputs":
        """What a stage reads in the merged tree, as far as that can be known."""
        merged = {
            key: _three_way(*(side.get(key) for side in inputs))
            for key in dict.fromkeys(key for side in inputs[1:] for key in side)
        }
        merged |= {key: self.made[key[1]] for key in merged if key[1] in self.made}
        return {key: value for key, value in merged.items() if value is not None}

    def drop_what_does_not_fit(self) -> None:
        """Leave out what read something else than was written, unless a side was so by itself."""
        sides = [(side, _misfits(side)) for side in (self.ours, self.theirs)]
        for misfit in sorted(_misfits(self.picked)):
            name, path, *_ = misfit
            entry = self.picked.get(name)
            if any(misfit in known and side[name] == entry for side, known in sides):
                continue
            self.picked.pop(name, None)
            self.dropped[name] = f"run on one side, with another {path}"


#: What a run depends on, by kind, name and file: a hash, or a value as text.
_Inputs = dict[tuple[str, str, str], Any]


def _inputs(entry: Entry) -> _Inputs:
    found: _Inputs = {("cmd", "", ""): _text(entry.get("cmd"))}
    found |= {("dep", path, ""): value for path, value in _hashes(entry, "deps").items()}
    for file, values in (entry.get("params") or {}).items():
        found |= {("param", key, file): _text(value) for key, value in values.items()}
    return found


def _hashes(entry: Entry, kind: str) -> dict[str, str]:
    return {path: entries.hash_of(item) for path, item in entries.paths(entry, kind).items()}


def _misfits(side: Stages) -> set[tuple[str, str, str, str]]:
    """Stage, path, hash read and hash written of each input that is not what was written."""
    made: dict[str, str] = {}
    for entry in side.values():
        made |= _hashes(entry, "outs")
    return {
        (name, path, value, made[path])
        for name, entry in side.items()
        for path, value in _hashes(entry, "deps").items()
        if made.get(path, value) != value
    }
