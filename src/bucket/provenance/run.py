"""What ran: the stages that `dvc.lock` notes, with what each read and wrote."""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import PurePosixPath
from typing import Any

from bucket import dvc_hashes
from bucket.errors import ProjectError
from bucket.lock import entries
from bucket.provenance import yaml
from bucket.provenance.revision import Revision

#: The file that says what is to run.
FLOW = "dvc.yaml"


@dataclass(frozen=True)
class Item:
    """A file or a directory as a stage read or wrote it.

    Attributes:
        path: from the project's root; an address, where it is elsewhere.
        hash: DVC's, which ends in `.dir` for a directory; empty where DVC noted none.
        size: in bytes.
        files: how many are in a directory.
        is_legacy: the hash is one of before DVC 3.
    """

    path: str
    hash: str
    size: int | None = field(default=None, compare=False)
    files: int | None = field(default=None, compare=False)
    is_legacy: bool = field(default=False, compare=False)

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return self.hash.endswith(dvc_hashes.DIRECTORY)


@dataclass(frozen=True)
class Stage:
    """The last run of a stage.

    Attributes:
        name: `NAME`, or `FOLDER:NAME` where its dvc.yaml is not in the root.
        flow: path of its dvc.yaml.
        description: what it is for, as dvc.yaml says; may be empty.
        command: what was run.
        reads: the inputs.
        writes: the outputs.
        params: values, by file and name.
    """

    name: str
    flow: str
    description: str
    command: str
    reads: Sequence[Item]
    writes: Sequence[Item]
    params: Mapping[str, Mapping[str, Any]]

    @property
    def values(self) -> Sequence[tuple[str, object]]:
        """Name and value of each parameter, to the last branch: `params.yaml:train.seed`."""
        return [
            (f"{file}:{name}", value)
            for file, values in self.params.items()
            for name, value in leaves(values)
        ]


@dataclass(frozen=True)
class Run:
    """All stages, and which of what they wrote stays in git or on no remote.

    Attributes:
        stages: each after those whose outputs it reads.
        options: what dvc.yaml and .dvc files say of an output, by its path.
    """

    stages: Sequence[Stage]
    options: Mapping[str, Mapping[str, Any]]

    @cached_property
    def makers(self) -> Mapping[str, Stage]:
        """The stage that writes a path."""
        return {item.path: stage for stage in self.stages for item in stage.writes}

    @property
    def items(self) -> Sequence[Item]:
        """Everything that was read or written, once, in the order of the stages."""
        both = (item for stage in self.stages for item in (*stage.reads, *stage.writes))
        return list(dict.fromkeys(both))

    def option(self, path: str) -> Mapping[str, Any] | None:
        """What is said of the output that a path is, or is in; None if it is no output."""
        for place in (path, *map(str, PurePosixPath(path).parents)):
            if place in self.options:
                return self.options[place]
            if place in self.makers:  # of a template, which names it as `${item}.csv`
                return next((said for name, said in self.options.items() if _is(name, place)), {})
        return None


def of(revision: Revision) -> Run:
    """The run that a revision's lock files note.

    Raises:
        ProjectError: there is none, or it notes no stage.
        LockError: one is not what DVC writes.
    """
    found = read(revision)
    if not found.stages:
        raise ProjectError(
            f"{entries.NAME} of the commit {revision.commit[:12]} notes no run of a stage. "
            "`bucket repro` runs them; then commit it."
        )
    return found


def read(revision: Revision) -> Run:
    """The same, and a run of nothing where there is none.

    Raises:
        LockError: a lock file is not what DVC writes.
    """
    stages: list[Stage] = []
    options: dict[str, Mapping[str, Any]] = {}
    for path in revision.named(entries.NAME):
        folder = posixpath.dirname(path)
        flow = posixpath.join(folder, FLOW)
        said = yaml.mapping(revision.text(flow), flow).get("stages") or {}
        lock = entries.read(revision.text(path), path)
        for name, entry in entries.stages(lock).items():
            of_stage = said.get(name) or said.get(name.split("@")[0]) or {}
            stages.append(_stage(name, entry, of_stage, folder))
        options |= dict(_options(said, folder))
    for path in [path for path in revision.files if path.endswith(".dvc")]:
        options |= dict(_pointed(yaml.mapping(revision.text(path), path), posixpath.dirname(path)))
    return Run(_in_order(stages), options)


def _stage(name: str, entry: entries.Entry, said: Mapping[str, Any], folder: str) -> Stage:
    place = _place(said, folder)
    command = entry.get("cmd", "")
    return Stage(
        name=f"{folder}:{name}" if folder else name,
        flow=posixpath.join(folder, FLOW),
        description=str((said.get("do") or said).get("desc") or said.get("desc") or ""),
        command=command if isinstance(command, str) else "\n".join(command),
        reads=list(_items(entry, "deps", place)),
        writes=list(_items(entry, "outs", place)),
        params={_join(place, file): dict(of) for file, of in (entry.get("params") or {}).items()},
    )


def _items(entry: entries.Entry, kind: str, place: str) -> Iterator[Item]:
    for path, item in entries.paths(entry, kind).items():
        is_legacy = "md5" in item and "hash" not in item
        value = entries.hash_of(item)
        yield Item(_join(place, path), value, item.get("size"), item.get("nfiles"), is_legacy)


def _place(said: Mapping[str, Any], folder: str) -> str:
    """The folder that a stage's paths are from."""
    wdir = (said.get("do") or said).get("wdir") or "."
    return folder if "${" in str(wdir) else _join(folder, str(wdir))


def _join(folder: str, path: str) -> str:
    """A path from the project's root; what is elsewhere stays as it is."""
    if re.match(r"[a-z][a-z0-9+.-]*://|/", path):
        return path
    found = posixpath.normpath(posixpath.join(folder, path))
    return "" if found == "." else found


def _options(said: Mapping[str, Any], folder: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Path and options of the outputs in a dvc.yaml."""
    for stage in said.values():
        of = stage.get("do") or stage
        for kind in ("outs", "metrics", "plots"):
            for out in of.get(kind) or ():
                named = out if isinstance(out, Mapping) else {out: {}}
                for path, options in named.items():
                    yield _join(_place(stage, folder), str(path)), options or {}


def _pointed(said: Mapping[str, Any], folder: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Path and options of what a .dvc file points to."""
    for out in said.get("outs") or ():
        yield _join(_join(folder, str(said.get("wdir") or ".")), str(out["path"])), out


def _is(template: str, path: str) -> bool:
    """Whether a path with `${...}` in it can stand for another one."""
    parts = re.split(r"\$\{[^}]*\}", template)
    return len(parts) > 1 and bool(re.fullmatch(".+".join(map(re.escape, parts)), path))


def _in_order(stages: Sequence[Stage]) -> list[Stage]:
    """The stages, each after those whose outputs it reads; else as they stand in the file."""
    writers: dict[str, list[str]] = {}
    for stage in stages:
        for item in stage.writes:
            for path in (item.path, *map(str, PurePosixPath(item.path).parents)):
                writers.setdefault(path, []).append(stage.name)
    exact = {item.path: stage.name for stage in stages for item in stage.writes}
    graph: dict[str, list[str]] = {}
    for stage in stages:
        before = [name for item in stage.reads for name in writers.get(item.path, ())]
        parents = (str(one) for item in stage.reads for one in PurePosixPath(item.path).parents)
        before += [exact[path] for path in parents if path in exact]
        graph[stage.name] = [name for name in dict.fromkeys(before) if name != stage.name]
    by_name = {stage.name: stage for stage in stages}
    try:
        return [by_name[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError:
        return list(stages)


def leaves(values: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Name and value of what is at the last branches of nested parameters: `train.seed`."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from ((f"{name}.{inner}", leaf) for inner, leaf in leaves(value))
        else:
            yield str(name), value
