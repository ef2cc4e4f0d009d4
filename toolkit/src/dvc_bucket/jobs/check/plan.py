"""What a commit's stages are, and what its `dvc.lock` says that they read and wrote."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dvc_bucket.base.errors import CheckError, StageNameError
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.remote.outputs import LEGACY, dataset_of, opened

if TYPE_CHECKING:
    from dvc.output import Output
    from dvc.repo import Repo
    from dvc.stage import PipelineStage


class Meta(BaseModel):
    """What a stage's `meta` in `dvc.yaml` says to us; DVC has no opinion on it."""

    model_config = ConfigDict(extra="ignore", strict=True)

    #: The stage may use the network.
    network: bool = False
    #: Paths of the project that the stage reads and that are not to make it run again.
    reads: list[str] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A dependency or an output, and its content as `dvc.lock` has it.

    Attributes:
        path: from the project's root; of one elsewhere, its address.
        hash: MD5, with `.dir` if it is a directory; None if it is not recorded.
        legacy: the hash is one that DVC used before version 3.
        is_cached: DVC keeps the content in its cache; else git does.
        is_persistent: DVC does not delete it before its stage runs.
    """

    path: str
    hash: str | None
    legacy: bool = False
    is_cached: bool = True
    is_persistent: bool = False


@dataclass(frozen=True)
class Stage:
    """A stage of `dvc.yaml`.

    Attributes:
        name: as DVC calls it from the project's root.
        file: the `dvc.yaml` that it is in, from the project's root.
        folder: where its command runs, from the project's root.
        same_command: its command is the one in `dvc.lock`.
        deps: what it declares to read, but for parameters.
        params: by parameter file, the keys that it declares; none means the whole file.
        values: by parameter file and key, what `dvc.lock` has.
        outs: what it makes.
        before: names of the stages whose outputs it reads, in order.
        meta: what it may do beyond that.
        is_frozen: DVC does not run it.
        is_recorded: `dvc.lock` knows it.
    """

    name: str
    file: str
    folder: str
    same_command: bool
    deps: tuple[Recorded, ...]
    params: dict[str, list[str]]
    values: dict[str, dict[str, Any]]
    outs: tuple[Recorded, ...]
    before: tuple[str, ...]
    meta: Meta
    is_frozen: bool
    is_recorded: bool


@dataclass(frozen=True)
class Plan:
    """The stages of a commit, each after those that it needs.

    Attributes:
        stages: by name, all that there are.
        tracked: paths that DVC tracks without a stage (`dvc add`, imports).
    """

    stages: dict[str, Stage]
    tracked: tuple[str, ...]

    def select(self, names: Sequence[str]) -> list[Stage]:
        """The stages to run: those named (a name of `foreach` or `matrix` means all of it), or all.

        Raises:
            StageNameError: there is none of a name.
        """
        unknown = [name for name in names if not any(_is(stage, name) for stage in self.stages)]
        if unknown:
            known = ", ".join(self.stages) or "none"
            raise StageNameError(f"No stage {', '.join(unknown)}; dvc.yaml has {known}.")
        return [
            stage
            for stage in self.stages.values()
            if not stage.is_frozen and (not names or any(_is(stage.name, name) for name in names))
        ]

    def maker(self, path: str) -> str | None:
        """The stage that makes what is at, around or below a path."""
        for stage in self.stages.values():
            if any(overlap(path, out.path) for out in stage.outs):
                return stage.name
        return None


def overlap(one: str, other: str) -> bool:
    """Whether two paths are the same, or one lies in the other."""
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def read(project: Project) -> Plan:
    """Read `dvc.yaml` and `dvc.lock` as DVC does.

    Raises:
        CheckError: DVC cannot read them, or `meta` of a stage has another type than it can have.
        ProjectError: DVC cannot open the project.
    """
    from dvc.exceptions import DvcException
    from dvc.repo.reproduce import plan_repro

    with opened(project) as repo:
        try:
            graph = repo.index.graph
            ordered = plan_repro(graph)
        except DvcException as error:
            said = " ".join(str(error).split())
            raise CheckError(f"DVC cannot read the stages: {said}") from None
        stages, tracked = {}, []
        for one in ordered:
            if not one.is_data_source and one.cmd:
                name = _name(repo, one)
                before = tuple(_name(repo, other) for other in graph.successors(one) if other.cmd)
                stages[name] = _stage(repo, one, name, before)
            else:
                tracked += [dataset_of(repo, out) for out in one.outs]
    return Plan(stages, tuple(tracked))


def _stage(repo: "Repo", one: "PipelineStage", name: str, before: tuple[str, ...]) -> Stage:
    from dvc.dependency.param import ParamsDependency

    params: dict[str, list[str]] = {}
    values: dict[str, dict[str, Any]] = {}
    deps = []
    for dep in one.deps:
        if isinstance(dep, ParamsDependency):
            path = dataset_of(repo, dep)
            params[path] = list(dep.params)
            values[path] = dict(dep.hash_info.value or {})
        else:
            deps.append(_recorded(repo, dep))
    try:
        meta = Meta.model_validate(one.meta if isinstance(one.meta, dict) else {})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(["meta", *map(str, first["loc"])])
        raise CheckError(f"dvc.yaml, stage {name}, {key}: {first['msg']}.") from None
    outs = tuple(_recorded(repo, out) for out in one.outs)
    return Stage(
        name=name,
        file=os.path.relpath(one.path, repo.root_dir),
        folder=os.path.relpath(one.wdir, repo.root_dir),
        same_command=not one.cmd_changed,
        deps=tuple(deps),
        params=params,
        values=values,
        outs=outs,
        before=before,
        meta=meta,
        is_frozen=bool(one.frozen),
        is_recorded=any(entry.hash for entry in (*deps, *outs)) or any(values.values()),
    )


def _recorded(repo: "Repo", entry: "Output") -> Recorded:
    found = entry.hash_info
    value = str(found.value) if found and found.value else None
    return Recorded(
        dataset_of(repo, entry),
        value,
        found.name == LEGACY if found else False,
        entry.use_cache,
        entry.persist,
    )


def _name(repo: "Repo", stage: Any) -> str:
    """As DVC calls it in a process at the project's root."""
    file = Path(stage.path).relative_to(repo.root_dir).as_posix()
    return stage.name if file == "dvc.yaml" else f"{file}:{stage.name}"


def _is(stage: str, name: str) -> bool:
    return stage == name or stage.startswith(f"{name}@")


def inputs(selected: Sequence[Stage]) -> Iterator[str]:
    """What the selected stages read and none of them makes."""
    outs = [out.path for stage in selected for out in stage.outs]
    seen = set()
    for stage in selected:
        for dep in stage.deps:
            if dep.path not in seen and not any(overlap(dep.path, out) for out in outs):
                seen.add(dep.path)
                yield dep.path


def pulled(known: Plan, selected: Sequence[Stage]) -> list[str]:
    """What DVC tracks of the inputs of the selected stages."""
    outs = [out.path for one in known.stages.values() for out in one.outs if out.is_cached]
    return sorted(
        {
            path
            for needed in inputs(selected)
            for path in (*known.tracked, *outs)
            if overlap(needed, path)
        }
    )
