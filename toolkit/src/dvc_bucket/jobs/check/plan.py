"""The stages that a check runs, and the inputs that they need."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dvc_bucket.base.errors import CheckError, StageNameError
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.snapshot import Snapshot, Stage, overlap


class Meta(BaseModel):
    """Keys of a stage's `meta` that a check reads. DVC ignores `meta`."""

    model_config = ConfigDict(extra="ignore", strict=True)

    #: The stage may use the network.
    network: bool = False
    #: Paths of the project that the stage reads without depending on them.
    reads: list[str] = Field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """The stages of a commit, each after its upstream stages.

    Attributes:
        stages: all stages, by name.
        tracked: paths of data without a stage (`dvc add`, imports).
    """

    stages: dict[str, Stage]
    tracked: tuple[str, ...]

    def select(self, names: Sequence[str]) -> list[Stage]:
        """The stages to run: the named ones, or all. A `foreach` or `matrix` name means each of it.

        Raises:
            StageNameError: no stage has the name.
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
        """The stage whose output is at, around or below a path."""
        for stage in self.stages.values():
            if any(overlap(path, out.path) for out in stage.outs):
                return stage.name
        return None


def read(project: Project) -> Plan:
    """Read the stages of a clone.

    Raises:
        CheckError: DVC cannot run the stages, or `meta` of a stage has a value of a wrong type.
        ProjectError: DVC cannot read its files.
    """
    snapshot = Snapshot.at(project)
    if snapshot.graph_error:
        raise CheckError(f"DVC cannot read the stages: {snapshot.graph_error}")
    for stage in snapshot.stages:
        meta_of(stage)
    tracked = [out.path for data in snapshot.tracked for out in data.outs]
    return Plan({stage.name: stage for stage in snapshot.stages}, tuple(tracked))


def meta_of(stage: Stage) -> Meta:
    """The `meta` of a stage.

    Raises:
        CheckError: a value has a wrong type.
    """
    try:
        return Meta.model_validate(stage.meta)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(["meta", *map(str, first["loc"])])
        raise CheckError(f"dvc.yaml, stage {stage.name}, {key}: {first['msg']}.") from None


def _is(stage: str, name: str) -> bool:
    return stage == name or stage.startswith(f"{name}@")


def inputs(selected: Sequence[Stage]) -> Iterator[str]:
    """Dependencies of the selected stages that none of them makes."""
    outs = [out.path for stage in selected for out in stage.outs]
    seen = set()
    for stage in selected:
        for dep in stage.deps:
            if dep.path not in seen and not any(overlap(dep.path, out) for out in outs):
                seen.add(dep.path)
                yield dep.path


def pulled(known: Plan, selected: Sequence[Stage]) -> list[str]:
    """Paths of the inputs that DVC tracks."""
    outs = [out.path for one in known.stages.values() for out in one.outs if out.is_cached]
    return sorted(
        {
            path
            for needed in inputs(selected)
            for path in (*known.tracked, *outs)
            if overlap(needed, path)
        }
    )
