"""Why an output differs: experiments in which one thing changes at a time.

A stage is run twice with all conditions fixed (`variations.CONDITIONS`). If the bytes are the same,
conditions are varied, first together and then one by one; a cause is one that alone changes the
bytes, which are the same again as it is fixed again. Nothing else is called a cause.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from dvc_bucket.dvc.snapshot import Stage
from dvc_bucket.jobs.check import other_packages, preload, variations
from dvc_bucket.jobs.check.experiments import Experiment, Lab
from dvc_bucket.jobs.check.findings import OutputResult
from dvc_bucket.jobs.check.inputs import Inputs
from dvc_bucket.jobs.check.lineage import undeclared_params
from dvc_bucket.jobs.check.plan import StagePlan
from dvc_bucket.jobs.check.variations import CONDITIONS, Condition, Variation

#: Times as programs write them: ISO 8601 and its kin, to the minute at least; seconds since 1970,
#: in parts of up to a billionth.
ISO = re.compile(r"\d{4}-\d\d-\d\d[T _]\d\d:\d\d(?::\d\d)?")
EPOCH = re.compile(r"(?<![\d.])1[5-9]\d{8}(?:\.\d+|\d{3}|\d{6}|\d{9})?(?!\d)")
DATE = re.compile(r"\d{4}-\d\d-\d\d")

#: The conclusion where nothing changes the bytes, which are not those in `dvc.lock`.
LOCK_IS_OTHER = (
    "dvc.lock has different ones: they come from other code, data or packages, or the output was "
    "edited by hand."
)

#: The conclusion where a stage loads other packages than those that made what is recorded. They
#: cannot be changed one at a time.
PACKAGES = "The cause that remains is the version of a package"

#: How many parameters and addresses are named.
MAX_LISTED_KEYS = 8
MAX_LISTED_PEERS = 3

#: The farthest that a clock of another time zone is from UTC, in seconds.
ZONES = 15 * 3600


@dataclass
class Cause:
    """What experiments say about a stage.

    Attributes:
        names: of the conditions that change its bytes, each by itself; none if no cause was found.
        sentences: the whole of it.
    """

    names: list[str] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class CauseSearch:
    """Finds causes by experiments.

    Attributes:
        lab: runs stages of the first run again.
        plan: all stages of the commit.
        undeclared: files that stages read and do not declare, by name of the stage.
        kernels: variations in which outputs differ from those of the first run.
    """

    lab: Lab
    plan: StagePlan
    undeclared: Mapping[str, Sequence[str]] = field(default_factory=dict)
    kernels: Sequence[Variation] = ()

    def causes(self, outputs: Sequence[OutputResult]) -> dict[str, Cause]:
        """What changes the bytes of each stage whose outputs differ though its inputs do not.

        Args:
            outputs: of all runs.

        Raises:
            CheckError: an output is outside the clone.
            NotCheckedError: another clone cannot be made here.
        """
        return {
            name: self._cause(
                self.plan.stages[name], [output for output in outputs if output.stage == name]
            )
            for name in self.stages_of(outputs)
        }

    def stages_of(self, outputs: Sequence[OutputResult]) -> list[str]:
        """Names of the stages whose outputs differ though their inputs do not."""
        wrong = [output for output in outputs if output.verdict == "differs" and not output.follows]
        made = self.lab.run.seconds
        return [*dict.fromkeys(output.stage for output in wrong if output.stage in made)]

    def _cause(self, stage: Stage, outputs: Sequence[OutputResult]) -> Cause:
        """What changes the bytes of a stage."""
        experiment = self._experiment(stage)
        if experiment.made is None:
            return Cause([], [f"Cause not found: {stage.name} fails with {experiment.all} fixed."])
        if experiment.again() != experiment.made:
            return self._of_unsteady(experiment, outputs)
        if names := experiment.guilty():
            sentences = [
                f"The cause is {experiment.title(name)}: it alone changes the bytes of "
                f"{stage.name}. With it fixed, they are the same again."
                for name in names
            ]
            times = _times(self.lab, outputs) if "clock" in names else ()
            return Cause(names, [*sentences, *times])
        return self._of_steady(experiment, outputs)

    def _experiment(self, stage: Stage) -> "Experiment":
        """Runs of a stage with as many conditions fixed as it bears."""
        conditions = [*map(_of_kernels, self.kernels), *CONDITIONS.values()]
        outside = [condition for condition in conditions if not condition.is_inside]
        tries = [(self.lab, conditions), (self.lab, outside)]
        if preload.library():
            tries.insert(1, (replace(self.lab, preloads=False), conditions))
        for lab, tried in tries:
            if (made := lab.make(stage, variations.held(tried))) is not None:
                break
        return Experiment(lab, stage, tried, made)

    def _of_unsteady(self, experiment: "Experiment", outputs: Sequence[OutputResult]) -> Cause:
        """Of a stage that makes other bytes each time, with all conditions fixed."""
        name, held = experiment.stage.name, f"although {experiment.all} are fixed"
        trace = self.lab.run.executions[name].trace
        if peers := trace.strangers() if trace else []:
            named = ", ".join(f"{host} port {port}" for host, port in peers[:MAX_LISTED_PEERS])
            cut = variations.together("no network", [experiment.fixed, variations.NO_NETWORK])
            alone = experiment.lab.make(experiment.stage, cut)
            if alone is None or alone == experiment.lab.make(experiment.stage, cut):
                how, without = "The cause is", "makes the same bytes twice"
                if alone is None:
                    how, without = "The remaining cause is", "does not run"
                text = (
                    f"{how} the network: {name} makes other bytes each time, {held}; it connects "
                    f"to {named}, and without the network it {without}."
                )
                return Cause(["network"], [text])
        text = f"Cause not found: {name} makes other bytes each time, {held}."
        return Cause([], [text, *_times(self.lab, outputs), *experiment.limits])

    def _of_steady(self, experiment: "Experiment", outputs: Sequence[OutputResult]) -> Cause:
        """Of a stage whose bytes no condition changes: another input, or nothing that is known."""
        stage = experiment.stage
        keys = undeclared_params(self.plan, self.lab.run.clone, stage)
        unnamed = f"No stage declares these parameters: {', '.join(keys[:MAX_LISTED_KEYS])}."
        paths = self.undeclared.get(stage.name, ())
        inputs = Inputs(experiment.lab, stage, paths, experiment.fixed, experiment.made or [])
        if causes := dict(inputs.causes(outputs)):
            names = [f"undeclared input {path}" for path in causes]
            return Cause(names, [*causes.values(), *([unnamed] if keys else ())])
        sentences, lab = [experiment.not_found], self.lab
        is_other = any(one.against == "dvc.lock" and one.verdict == "differs" for one in outputs)
        if is_other and not experiment.was_other:
            if others := other_packages.of_stage(stage, lab.run, lab.bench.packages):
                text = f"{PACKAGES}: {stage.name} loads {'; '.join(others.values())}."
                return Cause([f"package {name}" for name in others], [text])
            sentences.append(LOCK_IS_OTHER)
        return Cause([], [*sentences, *([unnamed] if keys else ()), *experiment.limits])


def _of_kernels(variation: Variation) -> Condition:
    return Condition(variation.title, f"the {variation.title}", variations.FIRST, [variation])


def _times(lab: Lab, outputs: Sequence[OutputResult]) -> Iterator[str]:
    """A sentence about values that look like the time of the run."""
    for output in outputs:
        execution = lab.run.executions[output.stage]
        texts = (time_in(value, execution.started, execution.ended) for _, value in output.values)
        if text := next(filter(None, texts), None):
            yield f"{output.path} contains the time at which it was written: {text}."
            return


def time_in(text: str, start: float, end: float) -> str | None:
    """The part of a text that is a time between two others (seconds since 1970), in any zone."""
    for moment in ISO.findall(text):
        # There is no 13th month in what only looks like a time.
        with suppress(ValueError):
            seconds = datetime.fromisoformat(f"{moment.replace('_', 'T')}Z").timestamp()
            if start - ZONES - 60 <= seconds <= end + ZONES:
                return str(moment)
    for moment in EPOCH.findall(text):
        seconds = float(moment)
        while seconds > 1e10:
            seconds /= 1000
        if start - 1 <= seconds <= end + 1:
            return str(moment)
    days = {datetime.fromtimestamp(moment, UTC).date().isoformat() for moment in (start, end)}
    return next((day for day in DATE.findall(text) if day in days), None)
