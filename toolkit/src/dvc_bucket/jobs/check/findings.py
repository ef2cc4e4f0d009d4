"""What `bucket check` finds, as values: outputs, faults of lineage, and the report made of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

#: What is wrong with the way from inputs to outputs, each with a heading of the report.
Kind = Literal[
    "failed",
    "not run",
    "not recorded",
    "other code",
    "contradiction",
    "edited",
    "not made",
    "undeclared import",
    "undeclared file",
    "undeclared network",
]

Verdict = Literal["identical", "within tolerance", "differs", "missing"]

#: Verdicts of outputs that are what they should be.
GOOD = {"identical", "within tolerance"}


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault that is not of an output's bytes.

    Attributes:
        kind: what it is.
        stage: where.
        path: of the file it is about; empty where it is about none.
        text: the whole of it, in a sentence.
    """

    kind: Kind
    stage: str
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """How two contents of an output differ.

    Attributes:
        text: what differs first, and how much.
        largest: the largest difference between two numbers that tolerance let pass; None if it
            let none pass.
        pairs: values that differ, before and after, as text: some of them.
        tolerated: all that differs is within what the project declares.
    """

    text: str
    largest: float | None = None
    pairs: tuple[tuple[str, str], ...] = ()
    tolerated: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an output in a run.

    Attributes:
        path: of the output.
        stage: that makes it.
        run: title of the run.
        against: what it was compared with: `dvc.lock`, or the title of another run.
        verdict: of the comparison.
        expected: hash in the one that it was compared with.
        found: hash of what the run made; None where it made nothing.
        detail: what differs; empty for what is identical.
        follows: an output that differs, too, and that this one is made from.
        pairs: values that differ, before and after.
    """

    path: str
    stage: str
    run: str
    against: str
    verdict: Verdict
    expected: str | None
    found: str | None
    detail: str = ""
    follows: str = ""
    pairs: tuple[tuple[str, str], ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it is what it should be."""
        return self.verdict in GOOD


@dataclass
class Report:
    """What a check found.

    Attributes:
        commit: full id.
        rev: as the person called it.
        stages: that were run, in order.
        tracing: how reads and connections were seen; or why not.
        environment: which packages the stages ran with.
        runs: title of each run, with what was changed in it.
        results: of the outputs, run by run.
        findings: everything else that is wrong.
        causes: what was found out about a difference, by stage.
        notes: what else there is to know.
        seconds: how long each stage took in the first run, by name.
        folder: with the clones, where they were kept.
    """

    commit: str
    rev: str
    stages: Sequence[str] = ()
    tracing: str = ""
    environment: str = ""
    runs: list[str] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    causes: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    folder: str = ""

    @property
    def ok(self) -> bool:
        """Whether every output is what it should be, by the way that is declared."""
        return not self.findings and all(result.ok for result in self.results)
