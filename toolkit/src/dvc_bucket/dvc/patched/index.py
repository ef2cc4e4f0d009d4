"""DVC's index of one revision, converted to plain values in one pass."""

import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from copy import copy
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.words import one_line
from dvc_bucket.dvc.patched.differences import require
from dvc_bucket.dvc.patched.repository import from_root
from dvc_bucket.dvc.patched.touch_points import SNAPSHOT
from dvc_bucket.dvc.snapshot import Artifact, PathRecord, Snapshot, Stage, StageParams
from dvc_bucket.dvc.snapshot.records import join, run_of, text_of

if TYPE_CHECKING:
    from dvc.output import Output
    from dvc.repo import Repo
    from dvc.stage import Stage as DvcStage

FLOW, LOCK = "dvc.yaml", "dvc.lock"

#: Values of `status` for missing data.
MISSING = ("deleted", "not in cache")


def read(repo: "Repo", rev: str | None) -> Snapshot:
    """Read what DVC declares and records at a revision; None for the workspace.

    Raises:
        ProjectError: DVC cannot read its files there.
        DvcDiffersError: this DVC has another index than the tested one.
    """
    require(SNAPSHOT)
    from dvc.exceptions import NotDvcRepoError

    try:
        with _reading(repo, rev):
            return _Reader(repo, rev).snapshot()
    except NotDvcRepoError:
        return Snapshot(rev, is_project=False)


@contextmanager
def _reading(repo: "Repo", rev: str | None) -> Iterator[None]:
    """Switch the repository to a revision, and turn errors of DVC into a sentence."""
    from dvc.exceptions import DvcException, NotDvcRepoError

    try:
        with repo.switch(rev) if rev else nullcontext():
            yield
    except NotDvcRepoError:
        raise
    except DvcException as error:
        where = f"the commit {rev[:12]}" if rev else "the stages"
        raise ProjectError(f"DVC cannot read {where}: {one_line(error)}") from None


class _Reader:
    """Converts the index of a repository, which is at a revision."""

    def __init__(self, repo: "Repo", rev: str | None) -> None:
        self._repo, self._rev = repo, rev
        with _noted_files() as files:
            self._index: Any = repo.index
        self._files = files
        self._locks: dict[str, Mapping[str, Any]] = {}
        self._values: dict[str, Any] = {}

    def snapshot(self) -> Snapshot:
        ordered, graph, problem = self._graph()
        stages = []
        for stage in ordered:
            upstream = graph.successors(stage) if graph else ()
            names = [self._name(other) for other in upstream if other.cmd]
            stages.append(self._stage(stage, names))
        return Snapshot(
            rev=self._rev,
            stages=[stage for stage in stages if stage.command],
            tracked=[stage for stage in stages if not stage.command],
            metrics=list(dict.fromkeys(self._metrics())),
            plots=list(dict.fromkeys(self._plots())),
            artifacts=list(self._artifacts()),
            graph_error=problem,
            gone=self._gone(),
            _stale=lambda always: self._stale(ordered, graph, always=always),
        )

    def _graph(self) -> "tuple[list[DvcStage], Any, str]":
        """The stages in order, their graph, and why there is none."""
        from dvc.exceptions import DvcException
        from dvc.repo.reproduce import plan_repro

        try:
            graph = self._index.graph
        except DvcException as error:
            return list(self._index.stages), None, one_line(error)
        return plan_repro(graph), graph, ""

    def _stale(self, ordered: Iterable[Any], graph: Any, *, always: bool) -> list[str]:
        """Names of the stages that DVC would run, from the stages and the graph of the index."""
        with _reading(self._repo, self._rev):
            return [
                self._name(stage)
                for stage in (ordered if graph else ())
                if (always and not stage.frozen and (stage.is_callback or stage.always_changed))
                or _is_changed(stage, graph, allow_missing=self._rev is not None)
            ]

    def _stage(self, stage: Any, upstream: Sequence[str]) -> Stage:
        from dvc.dependency.param import ParamsDependency

        file, folder = self._relative(stage.path), self._relative(stage.wdir)
        paths = [(self._path(item, folder), item) for item in (*stage.deps, *stage.outs)]
        deps, outs = paths[: len(stage.deps)], paths[len(stage.deps) :]
        params = {
            path: StageParams(list(dep.params), dep.hash_info.value or {}, self._current(dep))
            for path, dep in deps
            if isinstance(dep, ParamsDependency)
        }
        title, description = file, str(stage.desc or "")
        if _has_name(stage):
            title = f"{posixpath.dirname(file)}:{stage.name}".removeprefix(":")
        declared = {str(item.def_path): path for path, item in paths}
        entry = self._lock(stage.path).get(stage.name) if _has_name(stage) else None
        return Stage(
            name=self._name(stage),
            title=title,
            file=file,
            folder=folder,
            command=text_of(stage.cmd),
            command_changed=bool(getattr(stage, "cmd_changed", False)),
            description=description,
            meta=stage.meta if isinstance(stage.meta, dict) else {},
            is_frozen=bool(stage.frozen),
            is_import=bool(stage.is_import),
            deps=[_record(dep, path) for path, dep in deps if path not in params],
            params=params,
            outs=[_record(out, path) for path, out in outs],
            upstream=upstream,
            run=run_of(entry, title, file, description, folder, declared) if entry else None,
        )

    def _name(self, stage: Any) -> str:
        """As DVC calls it in a process at the project's root."""
        file = stage.path_in_repo.replace(os.sep, "/")
        if not _has_name(stage):
            return str(file)
        return str(stage.name) if file == FLOW else f"{file}:{stage.name}"

    def _lock(self, flow: str) -> Mapping[str, Any]:
        """The entries of the lock file beside a dvc.yaml, by name of the stage."""
        from dvc.dvcfile import load_file

        if flow not in self._locks:
            file = self._files.get(flow) or load_file(self._repo, flow)
            self._locks[flow] = file.lockfile_contents.get("stages") or {}
        return self._locks[flow]

    def _gone(self) -> dict[str, list[str]]:
        """Names in lock files whose dvc.yaml has no such stage, by path of the lock file."""
        names = {(one.path, str(one.name)) for one in self._index.stages if _has_name(one)}
        flows = [flow for flow in self._files if flow.endswith(FLOW)]
        gone = {at: [one for one in self._lock(at) if (at, one) not in names] for at in flows}
        return {self._beside(flow, LOCK): found for flow, found in gone.items() if found}

    def _current(self, dep: Any) -> dict[str, Any]:
        """The result of `dep.read_params()`; each file is read once."""
        import dpath

        if dep.fs_path not in self._values:
            whole = copy(dep)
            whole.params = []
            self._values[dep.fs_path] = whole.read_params()
        values, current = self._values[dep.fs_path], {}
        for key in dep.params or values:
            with suppress(KeyError):
                current[key] = dpath.get(values, key, separator=".") if dep.params else values[key]
        return current

    def _path(self, out: Any, folder: str) -> str:
        """Path of a dependency or output from the project's root; of one elsewhere, its address."""
        from dvc.dependency import RepoDependency
        from dvc.dependency.db import AbstractDependency

        if isinstance(out, RepoDependency | AbstractDependency):
            return str(out)
        if out.protocol != "local":
            return str(out.def_path)
        if "://" in out.def_path:  # of a remote that is a folder
            return str(self._relative(out.fs_path))
        return join(folder, out.def_path)

    def _relative(self, path: str) -> str:
        return from_root(self._repo, path)

    def _beside(self, file: str, path: str) -> str:
        """A path that a dvc.yaml names, from the project's root."""
        return join(posixpath.dirname(self._relative(file)), path)

    def _of_stages(self, outs: "Iterable[Output]") -> Iterator[str]:
        return (self._path(out, self._relative(out.stage.wdir)) for out in outs)

    def _metrics(self) -> Iterator[str]:
        yield from self._of_stages(self._index.metrics)
        for file, paths in self._index._metrics.items():
            yield from (self._beside(file, path) for path in paths)

    def _plots(self) -> Iterator[str]:
        from dvc.repo.plots import infer_data_sources

        yield from self._of_stages(self._index.plots)
        for file, plots in self._index._plots.items():
            for plot in plots:
                for name, config in (plot if isinstance(plot, dict) else {plot: None}).items():
                    sources = infer_data_sources(name, config)
                    yield from (self._beside(file, path) for path in sources)

    def _artifacts(self) -> Iterator[Artifact]:
        for file, artifacts in self._index._artifacts.items():
            for name, said in artifacts.items():
                values = said or {}
                yield Artifact(
                    name=name,
                    file=self._relative(file),
                    path=self._beside(file, values["path"]) if values.get("path") else "",
                    type=values.get("type") or "",
                    description=values.get("desc") or "",
                    labels=values.get("labels") or (),
                    meta=values.get("meta") or {},
                )


@contextmanager
def _noted_files() -> Iterator[dict[str, Any]]:
    """The objects of the dvc.yaml files that DVC loads in this block, by path.

    DVC drops these objects, which hold the parsed lock files. Parsing them again is slow.
    """
    from dvc import dvcfile

    original, files = dvcfile.load_file, {}

    def load_file(repo: Any, path: str, **named: Any) -> Any:
        files[path] = original(repo, path, **named)
        return files[path]

    dvcfile.load_file = load_file
    try:
        yield files
    finally:
        dvcfile.load_file = original


def _record(out: Any, path: str) -> PathRecord:
    info, meta = getattr(out, "hash_info", None), getattr(out, "meta", None)
    return PathRecord(
        path=path,
        hash=str(info.value) if info and info.value else "",
        hash_name=str(info.name) if info and info.value else "",
        size=meta.size if meta else None,
        files=meta.nfiles if meta else None,
        is_cached=bool(getattr(out, "use_cache", False)),
        is_persistent=bool(getattr(out, "persist", False)),
        is_pushed=bool(getattr(out, "can_push", True)),
        is_imported=bool(out.stage.is_repo_import),
        remote=getattr(out, "remote", None),
    )


def _is_changed(stage: Any, graph: Any, *, allow_missing: bool) -> bool:
    """As `Stage.changed`, which takes a lock in the work tree and so fails at a revision."""
    upstream = () if stage.frozen else list(graph.successors(stage))

    def is_other(item: Any) -> bool:
        status = (item.status() or {}).get(str(item))
        # DVC calls a stage that never ran unchanged if its data is missing.
        if not (allow_missing and status in MISSING and item.hash_info):
            return bool(status)
        made = (out for other in upstream for out in other.outs if out.fs_path == item.fs_path)
        return any(out.hash_info != item.hash_info for out in made)

    if stage.changed_stage():
        return True
    return any(is_other(item) for item in (*(() if stage.frozen else stage.deps), *stage.outs))


def _has_name(stage: Any) -> bool:
    """Whether it is one of several in its file."""
    return bool(getattr(stage, "name", None))
