"""The stages of a commit: which of them run, and which inputs are pulled for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dvc_bucket.base.errors import CheckError, StageNameError
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.snapshot import OverlapIndex, PathRecord, Snapshot, Stage, overlap


class Meta(BaseModel):
    """Keys of a stage's `meta` that a check reads. DVC ignores `meta`."""

    model_config = ConfigDict(extra="ignore", strict=True)

    #: The stage may use the network.
    network: bool = False
    #: Paths of the project that the stage reads without depending on them.
    reads: list[str] = Field(default_factory=list)


@dataclass(frozen=True)
class StagePlan:
    """The stages of a commit, each after its upstream stages.

    Attributes:
        stages: all stages, by name.
        tracked: paths of data without a stage (`dvc add`, imports).
        gone: names that lock files still have, and no dvc.yaml.
    """

    stages: dict[str, Stage]
    tracked: Sequence[str]
    gone: Sequence[str] = ()

    def select(self, names: Sequence[str]) -> list[Stage]:
        """The stages to run: the named ones, or all. A `foreach` or `matrix` name means each of it.

        Raises:
            StageNameError: no stage has the name.
        """
        # `foreach` and `matrix` make stages of the name `NAME@KEY`.
        names_of = {name: {name, name.partition("@")[0]} for name in self.stages}
        if unknown := set(names).difference(*names_of.values()):
            declared = ", ".join(self.stages) or "none"
            raise StageNameError(
                f"Unknown stage {', '.join(sorted(unknown))}; dvc.yaml has {declared}."
            )
        return [
            stage
            for name, stage in self.stages.items()
            if not stage.is_frozen and (not names or names_of[name] & set(names))
        ]

    @property
    def outs(self) -> list[PathRecord]:
        """The outputs of all stages."""
        return [out for stage in self.stages.values() for out in stage.outs]

    @cached_property
    def made(self) -> OverlapIndex:
        """The paths of the outputs of all stages."""
        return OverlapIndex(out.path for out in self.outs)

    def maker(self, path: str) -> str:
        """The stage whose output is at, around or below a path; empty if there is none."""
        for stage in self.stages.values() if self.made.overlap(path) else ():
            if any(overlap(path, out.path) for out in stage.outs):
                return stage.name
        return ""

    def pulled(self, selected: Sequence[Stage]) -> list[str]:
        """Paths that DVC tracks of what selected stages read and none of them makes."""
        made = OverlapIndex(out.path for stage in selected for out in stage.outs)
        deps = {dep.path for stage in selected for dep in stage.deps}
        needed = OverlapIndex(path for path in deps if not made.overlap(path))
        tracked = {*self.tracked, *(out.path for out in self.outs if out.is_cached)}
        return sorted(filter(needed.overlap, tracked))


def read(project: Project) -> StagePlan:
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
    gone = [name for names in snapshot.gone.values() for name in names]
    return StagePlan({stage.name: stage for stage in snapshot.stages}, tracked, gone)


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
