"""The stages and data of one revision, read from DVC's index in one pass.

A snapshot holds plain values: nothing in it needs DVC, an open repository or the work tree.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.remote.outputs import opened
from dvc_bucket.dvc.snapshot.records import OverlapIndex as OverlapIndex
from dvc_bucket.dvc.snapshot.records import PathRecord as PathRecord
from dvc_bucket.dvc.snapshot.records import StageParams as StageParams
from dvc_bucket.dvc.snapshot.records import StageRun as StageRun
from dvc_bucket.dvc.snapshot.records import leaves as leaves
from dvc_bucket.dvc.snapshot.records import overlap as overlap

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.types import Repo


@dataclass(frozen=True)
class Stage:
    """A stage of a dvc.yaml, or a `.dvc` file.

    Attributes:
        name: its address for DVC in the project's root: `NAME`, `FOLDER/dvc.yaml:NAME` or a file.
        title: its name in reports: `NAME`, `FOLDER:NAME` or a file.
        file: path of its dvc.yaml or `.dvc` file.
        folder: where its command runs, from the project's root.
        command: as declared; empty for a `.dvc` file. Several commands have a line each.
        command_changed: the recorded command is another one.
        description: `desc`; may be empty.
        meta: `meta`, which DVC ignores.
        is_frozen: DVC does not run it.
        is_import: it has data of another repository or address.
        deps: declared dependencies with their recorded content; no parameters.
        params: declared parameters, by file.
        outs: declared outputs with their recorded content.
        upstream: names of the stages whose outputs it reads.
        run: its last run; None if `dvc.lock` has no entry.
    """

    name: str
    title: str
    file: str
    folder: str
    command: str
    command_changed: bool
    description: str
    meta: Mapping[str, Any]
    is_frozen: bool
    is_import: bool
    deps: Sequence[PathRecord]
    params: Mapping[str, StageParams]
    outs: Sequence[PathRecord]
    upstream: Sequence[str]
    run: StageRun | None

    @property
    def is_recorded(self) -> bool:
        """Whether anything of it is recorded."""
        records = (*self.deps, *self.outs)
        return any(item.hash for item in records) or any(
            item.locked for item in self.params.values()
        )


@dataclass(frozen=True)
class Artifact:
    """An artifact of a dvc.yaml.

    Attributes:
        name: its name there.
        file: path of the dvc.yaml.
        path: of the data, from the project's root; empty if none is declared.
        type: such as `model`; may be empty.
        description: `desc`; may be empty.
        labels: in the order of the file.
        meta: any values of the project.
    """

    name: str
    file: str
    path: str
    type: str
    description: str
    labels: Sequence[str]
    meta: Mapping[str, Any]


@dataclass(frozen=True)
class Snapshot:
    """What DVC declares and records at one revision.

    Attributes:
        rev: the revision; None for the workspace.
        is_project: DVC has a project there.
        stages: those with a command, in DVC's order: each after its upstream stages.
        tracked: data without a command (`dvc add`, imports).
        metrics: paths of declared metrics, those of stages first.
        plots: paths of declared plots, those of stages first.
        artifacts: of all dvc.yaml files.
        graph_error: why DVC does not run the stages (a cycle, an output of two stages); empty if
            it does. If it does not, the stages are in the order of the files, without upstream.
        gone: names in lock files whose dvc.yaml has no such stage, by path of the lock file.
    """

    rev: str | None
    is_project: bool = True
    stages: Sequence[Stage] = ()
    tracked: Sequence[Stage] = ()
    metrics: Sequence[str] = ()
    plots: Sequence[str] = ()
    artifacts: Sequence[Artifact] = ()
    graph_error: str = ""
    gone: Mapping[str, Sequence[str]] = field(default_factory=dict)
    _stale: Callable[[bool], list[str]] = field(default=lambda _: [], compare=False, repr=False)

    @classmethod
    def at(cls, source: "Project | Repo", rev: str | None = None) -> "Snapshot":
        """The snapshot of a revision.

        Args:
            source: the project; or the same, opened, which saves opening it again.
            rev: branch, tag or commit; None for the workspace.

        Raises:
            ProjectError: DVC cannot read its files there.
        """
        from dvc_bucket.dvc.patched import index

        if isinstance(source, Project):
            with opened(source) as repo:
                return index.read(repo, rev)
        return index.read(source, rev)

    @cached_property
    def outs(self) -> Mapping[str, PathRecord]:
        """Every output, by path."""
        return {out.path: out for stage in (*self.stages, *self.tracked) for out in stage.outs}

    @property
    def runs(self) -> list[StageRun]:
        """The recorded runs, in the order of the stages."""
        return [stage.run for stage in self.stages if stage.run]

    def stale(self, *, always: bool = True) -> list[str]:
        """Names of the stages and `.dvc` files that `dvc repro` would run, in its order.

        In the workspace, this is what `dvc status` lists. At a revision, data that git does not
        have counts as unchanged, as with `--allow-missing`.

        Args:
            always: with the stages that DVC runs each time, changed or not (`always_changed`, or
                without dependencies).

        Raises:
            ProjectError: DVC cannot compare them.
        """
        return self._stale(always)
