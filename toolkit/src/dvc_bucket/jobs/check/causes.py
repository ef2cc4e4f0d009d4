"""Why an output differs: its stage is run again, alone, with one thing otherwise at a time."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dvc_bucket.dvc.snapshot import Stage
from dvc_bucket.jobs.check import rebuild, variations
from dvc_bucket.jobs.check.findings import Result
from dvc_bucket.jobs.check.lineage.records import undeclared_params
from dvc_bucket.jobs.check.plan import Plan
from dvc_bucket.jobs.check.rebuild import Run
from dvc_bucket.jobs.check.sides import hash_of
from dvc_bucket.jobs.check.variations import Variation

#: Times as programs write them: ISO 8601 and its kin, to the minute at least; seconds since 1970,
#: in parts of up to a billionth.
ISO = re.compile(r"\d{4}-\d\d-\d\d[T _]\d\d:\d\d(?::\d\d)?")
EPOCH = re.compile(r"(?<![\d.])1[5-9]\d{8}(?:\.\d+|\d{3}|\d{6}|\d{9})?(?!\d)")
DATE = re.compile(r"\d{4}-\d\d-\d\d")

#: What is so where a stage is steady and its outputs are not those in `dvc.lock`.
LOCK_IS_OTHER = "So dvc.lock has what other code, data or packages made, or was edited by hand."

#: How many parameters are named.
MAX_LISTED_KEYS = 8

#: The farthest that a clock of another time zone is from UTC, in seconds.
ZONES = 15 * 3600


@dataclass(frozen=True)
class Inquiry:
    """What is needed to run a stage again in the clone of a run.

    Attributes:
        run: whose outputs differ.
        other: the run that it was compared with; None for `dvc.lock`.
        known: all stages.
        rerun: makes a run with a variation in the same clone.
        on_stage: hears the name of a stage that runs again.
    """

    run: Run
    other: Run | None
    known: Plan
    rerun: Callable[[Run, Variation], Run]
    on_stage: Callable[[str], None]

    def of(self, results: Sequence[Result]) -> dict[str, list[str]]:
        """What is to be said of each stage whose outputs differ though its inputs do not."""
        wrong = [one for one in results if one.verdict == "differs" and not one.follows]
        stages = [self.known.stages[name] for name in dict.fromkeys(one.stage for one in wrong)]
        told: dict[str, list[str]] = {stage.name: [] for stage in stages}
        for one in wrong:
            if (text := self._time_in(one)) and text not in told[one.stage]:
                told[one.stage].append(text)
        first = _hashes(self.run, stages)  # before they are made anew
        again = self._again(stages, self.run.variation)
        unsteady = [stage for stage in stages if again[stage.name] != first[stage.name]]
        for name, text in self._why_not_twice(unsteady):
            told[name].append(text)
        for name, text in self._why_otherwise([one for one in stages if one not in unsteady]):
            told[name].append(text)
        return told

    def _why_not_twice(self, stages: Sequence[Stage]) -> Iterator[tuple[str, str]]:
        """What makes stages give other bytes the next time, by name."""
        once, twice = (self._again(stages, variations.ONE_THREAD) for _ in range(2))
        for name in once:
            said = f"{name} is not deterministic: identical inputs, different bytes"
            if once[name] == twice[name]:
                said += ". With one thread on one CPU it is: the order of threads matters."
            else:
                said += ". Look for the time, random numbers without a seed, or threads."
            yield name, said

    def _why_otherwise(self, stages: Sequence[Stage]) -> Iterator[tuple[str, str]]:
        """What stages depend on that make the same bytes twice, by name."""
        for stage in stages:
            yield stage.name, f"{stage.name} makes the same bytes twice from identical inputs."
        if self.other is not None:
            for name, guilty in self._guilty(stages, self.other).items():
                yield name, f"{name} depends on {' and on '.join(guilty) or self.run.title}."
            return
        for stage in stages:
            yield stage.name, LOCK_IS_OTHER
            if keys := undeclared_params(self.known, self.run.clone, stage):
                named = ", ".join(keys[:MAX_LISTED_KEYS])
                yield stage.name, f"No stage declares these parameters: {named}."

    def _guilty(self, stages: Sequence[Stage], other: Run) -> dict[str, list[str]]:
        """What of all that the run has otherwise makes the difference, by name of the stage."""
        expected = _hashes(other, stages)
        guilty: dict[str, list[str]] = {stage.name: [] for stage in stages}
        parts = variations.parts(self.run.variation)
        in_place = replace(other.variation, title="the folder that it runs in")
        for part in (in_place, *parts) if parts else ():
            for name, found in self._again(stages, part).items():
                # In another folder already, so what the others do says nothing.
                if found != expected[name] and in_place.title not in guilty[name]:
                    guilty[name].append(part.title)
        return guilty

    def _again(self, stages: Sequence[Stage], variation: Variation) -> dict[str, dict[str, str]]:
        """Hashes of what the stages make in the same clone, with something otherwise."""
        if not stages:
            return {}
        run = self.rerun(self.run, variation)
        rebuild.clear(run, stages)  # persistent outputs, which DVC would leave
        rebuild.execute(run, [replace(stage, upstream=()) for stage in stages], self.on_stage)
        return _hashes(run, stages)

    def _time_in(self, result: Result) -> str:
        """A value that looks like the time of the run, in a sentence."""
        seen = [one for one in self.run.commands() if one.stage == result.stage]
        if not seen:
            return ""
        start, end = seen[0].started, seen[-1].ended
        for _, found in result.pairs:
            if text := time_in(found, start, end):
                return f"{result.path} holds the time at which it was made: {text}."
        return ""


def _hashes(run: Run, stages: Sequence[Stage]) -> dict[str, dict[str, str]]:
    """MD5 of each file of the outputs, by path, by name of the stage."""
    root, found = run.clone.root, {}
    for stage in stages:
        places = [root / out.path for out in stage.outs]
        files = [file for place in places for file in ([place], place.rglob("*"))[place.is_dir()]]
        found[stage.name] = {
            str(file.relative_to(root)): hash_of(file, legacy=False)
            for file in files
            if file.is_file()
        }
    return found


def time_in(text: str, start: float, end: float) -> str | None:
    """The part of a text that is a time between two others (seconds since 1970), in any zone."""
    for found in ISO.findall(text):
        form = "%Y-%m-%d %H:%M:%S" if found.count(":") == 2 else "%Y-%m-%d %H:%M"
        try:
            moment = datetime.strptime(found.replace("T", " ").replace("_", " "), form)
        except ValueError:  # it looks like a time, and there is no 13th month
            continue
        if start - ZONES - 60 <= moment.replace(tzinfo=UTC).timestamp() <= end + ZONES:
            return str(found)
    for found in EPOCH.findall(text):
        whole = float(found)
        while whole > 1e10:
            whole /= 1000
        if start - 1 <= whole <= end + 1:
            return str(found)
    days = {datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d") for moment in (start, end)}
    return next((found for found in DATE.findall(text) if found in days), None)
