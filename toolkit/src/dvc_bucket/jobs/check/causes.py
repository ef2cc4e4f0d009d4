"""Why an output differs: its stage is run again, alone, with one change at a time."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain

from dvc_bucket.dvc.snapshot import Stage
from dvc_bucket.jobs.check import variations
from dvc_bucket.jobs.check.findings import OutputResult
from dvc_bucket.jobs.check.lineage import undeclared_params
from dvc_bucket.jobs.check.plan import StagePlan
from dvc_bucket.jobs.check.runs import Bench, CloneRun, object_names
from dvc_bucket.jobs.check.variations import Variation

#: Times as programs write them: ISO 8601 and its kin, to the minute at least; seconds since 1970,
#: in parts of up to a billionth.
ISO = re.compile(r"\d{4}-\d\d-\d\d[T _]\d\d:\d\d(?::\d\d)?")
EPOCH = re.compile(r"(?<![\d.])1[5-9]\d{8}(?:\.\d+|\d{3}|\d{6}|\d{9})?(?!\d)")
DATE = re.compile(r"\d{4}-\d\d-\d\d")

#: The order of what runs at the same time.
THREADS = "the order of threads"

#: The conclusion where a stage is steady and its outputs are not those in `dvc.lock`.
LOCK_IS_OTHER = "So dvc.lock has what other code, data or packages made, or was edited by hand."

#: How many parameters are named.
MAX_LISTED_KEYS = 8

#: The farthest that a clock of another time zone is from UTC, in seconds.
ZONES = 15 * 3600


#: Of each output of a stage the contents of its files, by name of the stage.
Hashes = dict[str, list[dict[str, bytes]]]


@dataclass(frozen=True)
class CauseSearch:
    """Runs stages again in the clone of a run.

    Attributes:
        bench: runs stages.
        plan: all stages of the commit.
        run: whose outputs differ.
        other: the run that it was compared with; None for `dvc.lock`.
    """

    bench: Bench
    plan: StagePlan
    run: CloneRun
    other: CloneRun | None

    def causes(self, outputs: Sequence[OutputResult]) -> dict[str, list[str]]:
        """Sentences about each stage whose outputs differ though its inputs do not."""
        wrong = [output for output in outputs if output.verdict == "differs" and not output.follows]
        sentences: dict[str, list[str]] = {output.stage: [] for output in wrong}
        for output in wrong:
            sentences[output.stage] += self._time_in(output)
        stages = [self.plan.stages[name] for name in sentences]
        first = _hashes(self.run, stages)  # before they are made again
        again = self._again(stages, self.run.variation)
        steady = [stage for stage in stages if again[stage.name] == first[stage.name]]
        unsteady = [stage for stage in stages if stage not in steady]
        for name, sentence in chain(self._why_unsteady(unsteady), self._why_steady(steady)):
            sentences[name].append(sentence)
        return sentences

    def _why_unsteady(self, stages: Sequence[Stage]) -> Iterator[tuple[str, str]]:
        """What makes stages give other bytes the next time, by name."""
        once, twice = (self._again(stages, variations.ONE_THREAD) for _ in range(2))
        for name in once:
            sentence = f"{name} is not deterministic: identical inputs, different bytes"
            if once[name] == twice[name]:
                yield name, f"{sentence}; not so with one thread and one CPU: {THREADS} matters."
            else:
                yield name, f"{sentence}: the time, random numbers without a seed, or {THREADS}."

    def _why_steady(self, stages: Sequence[Stage]) -> Iterator[tuple[str, str]]:
        """What stages depend on that make the same bytes twice, by name."""
        guilty = self._guilty(stages, self.other) if self.other else {}
        for stage in stages:
            name = stage.name
            yield name, f"{name} makes the same bytes twice from identical inputs."
            if self.other:
                yield name, f"{name} depends on {' and on '.join(guilty[name]) or self.run.title}."
                continue
            yield name, LOCK_IS_OTHER
            if keys := undeclared_params(self.plan, self.run.clone, stage):
                named = ", ".join(keys[:MAX_LISTED_KEYS])
                yield name, f"No stage declares these parameters: {named}."

    def _guilty(self, stages: Sequence[Stage], other: CloneRun) -> dict[str, list[str]]:
        """The changes of the run that make a difference by themselves, by name of the stage."""
        guilty: dict[str, list[str]] = {stage.name: [] for stage in stages}
        if self.run.variation != variations.ALL_VARIED:
            return guilty
        expected = _hashes(other, stages)
        in_place = replace(other.variation, title="the folder that it runs in")
        for part in (in_place, *variations.PARTS):
            for name, hashes in self._again(stages, part).items():
                # In another folder already, so what the others do says nothing.
                if hashes != expected[name] and in_place.title not in guilty[name]:
                    guilty[name].append(part.title)
        return guilty

    def _again(self, stages: Sequence[Stage], variation: Variation) -> Hashes:
        """Run stages in the same clone with a variation; their hashes, by name."""
        if not stages:
            return {}
        alone = [replace(stage, upstream=()) for stage in stages]
        titled = replace(variation, title=f"{self.run.title}, again")
        return _hashes(self.bench.run(self.run.clone, alone, titled), stages)

    def _time_in(self, output: OutputResult) -> Iterator[str]:
        """A sentence about a value that looks like the time of the run."""
        execution = self.run.executions[output.stage]
        texts = (time_in(value, execution.started, execution.ended) for _, value in output.values)
        if text := next(filter(None, texts), None):
            yield f"{output.path} holds the time at which it was made: {text}."


def _hashes(run: CloneRun, stages: Sequence[Stage]) -> Hashes:
    """What is in the outputs of stages, by name of the stage."""
    return {
        stage.name: [object_names(run.clone.root / out.path) for out in stage.outs]
        for stage in stages
    }


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
