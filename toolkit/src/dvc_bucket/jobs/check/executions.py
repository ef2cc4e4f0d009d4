"""What was seen of a stage while it ran."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from dvc_bucket.dvc.snapshot import PathRecord, Stage
from dvc_bucket.dvc.snapshot.records import run_of
from dvc_bucket.jobs.check.trace import Trace


@dataclass(frozen=True)
class Execution:
    """What was seen of a stage while it ran.

    Attributes:
        stage: its name.
        state: how it ended.
        because: why it failed; or the stage that it needs and that did not succeed.
        started, ended: seconds since 1970.
        files: paths of the work tree before its commands.
        before, after: its commands, if one ran and the run was traced: a hash of each file of its
            `deps`, by path, and of each of its `outs` what its files looked like.
        trace: what the tracer saw; None if it saw nothing at all.
        made: hashes of the outputs.
        entry: what `dvc.lock` would have of its dependencies and outputs.
    """

    stage: str
    state: Literal["done", "failed", "not run"]
    because: str = ""
    started: float = 0.0
    ended: float = 0.0
    files: Sequence[str] = ()
    before: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    after: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    trace: Trace | None = None
    made: Sequence[str] = ()
    entry: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Execution":
        """What `plain` gave."""
        seen = plain["trace"]
        return cls(**{**plain, "trace": Trace.of(seen) if seen else None})

    @property
    def plain(self) -> dict[str, Any]:
        """Its values, as `json` has them."""
        return {**vars(self), "trace": self.trace.plain if self.trace else None}

    def recorded(self, stage: Stage) -> Stage:
        """The stage with what this run read and wrote in the place of what `dvc.lock` records."""
        run = run_of(self.entry, stage.title, stage.file, "", stage.folder, {})
        by_path = {record.path: record for record in (*run.reads, *run.writes)}

        def now(record: PathRecord, new: PathRecord) -> PathRecord:
            return replace(
                record, hash=new.hash, hash_name=new.hash_name, size=new.size, files=new.files
            )

        return replace(
            stage,
            deps=[now(dep, by_path.get(dep.path, dep)) for dep in stage.deps],
            outs=[now(out, by_path[out.path]) for out in stage.outs],
            params={
                file: replace(params, locked=params.current)
                for file, params in stage.params.items()
            },
        )
