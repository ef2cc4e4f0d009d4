"""What was seen of a stage while it ran."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

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

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Execution":
        """What `plain` gave."""
        seen = plain["trace"]
        return cls(**{**plain, "trace": Trace.of(seen) if seen else None})

    @property
    def plain(self) -> dict[str, Any]:
        """Its values, as `json` has them."""
        return {**vars(self), "trace": self.trace.plain if self.trace else None}
