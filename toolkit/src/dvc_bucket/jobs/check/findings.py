"""What `bucket check` finds, as values: outputs, faults of lineage, and the report made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

Verdict = Literal["identical", "within tolerance", "differs", "missing", "could not be looked at"]

#: The verdict on an output that this machine kept from being made.
UNSEEN: Verdict = "could not be looked at"

#: Faults that say nothing against the commit if this machine is why its stage did not run.
UNFINISHED = ("failed", "not run")

#: What can be wrong with the way from inputs to outputs, and its heading in the report.
KINDS = {
    "failed": "Stages that failed",
    "not run": "Stages that were not run",
    "not recorded": "Not in dvc.lock",
    "other code": "dvc.lock records other code, data, parameters or commands",
    "contradiction": "Records that contradict each other",
    "edited": "Dependencies that changed while their stage ran",
    "not made": "Outputs that their stage did not write",
    "undeclared import": "Imports missing from deps",
    "undeclared package": "Packages missing from params",
    "other package": "Package versions that differ from packages.yaml",
    "undeclared file": "Undeclared files that stages read or write",
    "undeclared network": "Undeclared network use",
}


@dataclass(frozen=True, slots=True)
class LineageFault:
    """A fault that is not of an output's bytes.

    Attributes:
        kind: one of `KINDS`.
        stage: name of the stage.
        path: of the file it is about; empty where it is about none.
        text: the whole of it, in a sentence.
    """

    kind: str
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

    @property
    def detail(self) -> str:
        """The text, with how far tolerated numbers differ."""
        is_measured = self.tolerated and self.largest
        return f"{self.text}: at most {self.largest:.3g}" if is_measured else self.text


@dataclass(frozen=True, slots=True)
class OutputResult:
    """An output of a run, compared.

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
        values: values that differ, before and after.
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
    values: tuple[tuple[str, str], ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it is what it should be."""
        return self.verdict in {"identical", "within tolerance"}


@dataclass(frozen=True)
class CheckReport:
    """What a check found. Its fields are those of the JSON output.

    Attributes:
        commit: full id.
        rev: the revision as the person typed it.
        stages: names of the stages that were run, in order.
        seconds: how long each stage took in the first run, by name.
        environment: which packages the stages ran with.
        tracing: how files and connections were seen.
        runs: title of each run, with what was changed in it.
        outputs: of all runs.
        findings: all other faults.
        causes: what was found out about a difference, by stage, in sentences.
        found: names of the causes that experiments confirm, by stage; none if none was found.
        notes: what else there is to know.
        doubts: why what is wrong may be this machine's fault and none of the commit, by stage; an
            empty name is for all stages.
        folder: with the clones, if it was kept.
    """

    commit: str
    rev: str
    stages: Sequence[str] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    environment: str = ""
    tracing: str = ""
    runs: Sequence[str] = ()
    outputs: Sequence[OutputResult] = ()
    findings: Sequence[LineageFault] = ()
    causes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    found: Mapping[str, Sequence[str]] = field(default_factory=dict)
    notes: Sequence[str] = ()
    doubts: Mapping[str, str] = field(default_factory=dict)
    folder: str | None = None

    @property
    def ok(self) -> bool:
        """Whether every output is what it should be, by the way that is declared."""
        return not self.findings and all(output.ok for output in self.outputs)

    @property
    def status(self) -> int:
        """Exit status: 0 reproduced, 1 not reproduced, 3 this machine cannot tell."""
        if self.ok:
            return 0
        unseen = all(output.ok or output.verdict == UNSEEN for output in self.outputs)
        is_doubtful = unseen and all(map(self._is_doubtful, self.findings))
        return 3 if "" in self.doubts or is_doubtful else 1

    def _is_doubtful(self, fault: LineageFault) -> bool:
        """Whether this machine may be why there is a fault: it kept the stage from its end."""
        is_unfinished = fault.kind in UNFINISHED or fault.stage not in self.seconds
        return fault.stage in self.doubts and is_unfinished

    def with_doubts(self, doubts: Mapping[str, str]) -> "CheckReport":
        """The report with what is known of this machine; what it kept from being made is unseen."""
        outputs = [
            replace(output, verdict=UNSEEN, detail=doubts[output.stage].rstrip("."))
            if output.verdict == "missing" and output.found is None and output.stage in doubts
            else output
            for output in self.outputs
        ]
        return replace(self, outputs=outputs, doubts=doubts)
