"""Why an output differs: its stage is run again, alone, with one thing otherwise at a time."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bucket.check import rebuild, variations
from bucket.check.findings import Result
from bucket.check.lineage.records import undeclared_params
from bucket.check.plan import Plan, Stage
from bucket.check.rebuild import Run
from bucket.check.sides import hash_of
from bucket.check.variations import Variation

#: Times as programs write them: ISO 8601 and its kin, to the minute at least; seconds since 1970,
#: in parts of up to a billionth.
ISO = re.compile(r"\d{4}-\d\d-\d\d[T _]\d\d:\d\d(?::\d\d)?")
EPOCH = re.compile(r"(?<![\d.])1[5-9]\d{8}(?:\.\d+|\d{3}|\d{6}|\d{9})?(?!\d)")
DATE = re.compile(r"\d{4}-\d\d-\d\d")

#: How many parameters are named.
SHOWN = 8

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
        return {
            name: list(self._told(self.known.stages[name], [o for o in wrong if o.stage == name]))
            for name in dict.fromkeys(one.stage for one in wrong)
        }

    def _told(self, stage: Stage, results: Sequence[Result]) -> Iterator[str]:
        yield from dict.fromkeys(filter(None, map(self._time_in, results)))
        if self._again(stage, self.run.variation) != _hashes(self.run, stage):
            yield self._why_not_twice(stage)
            return
        yield f"{stage.name} makes the same bytes twice, all being equal."
        if self.other is not None:
            yield f"{stage.name} depends on {self._guilty(stage, self.other)}."
            return
        yield (
            "So dvc.lock has what other code, data, parameters or packages made, or what was "
            "edited by hand."
        )
        if keys := undeclared_params(self.known, self.run.clone, stage):
            yield f"No stage declares these parameters: {', '.join(keys[:SHOWN])}."

    def _why_not_twice(self, stage: Stage) -> str:
        """What makes a stage give other bytes the next time."""
        said = f"{stage.name} does not make the same bytes twice, all being equal"
        single = variations.ONE_THREAD
        if self._again(stage, single) == self._again(stage, single):
            return f"{said}; with one thread and one CPU it does: the order of threads matters."
        return f"{said}: the time, random numbers without a seed, or the order of threads."

    def _guilty(self, stage: Stage, other: Run) -> str:
        """What of all that the run has otherwise makes the difference."""
        parts = variations.parts(self.run.variation)
        if not parts:
            return self.run.title
        expected = _hashes(other, stage)
        if self._again(stage, other.variation) != expected:
            return "the folder that it runs in"
        guilty = [one.title for one in parts if self._again(stage, one) != expected]
        return " and on ".join(guilty) or self.run.title

    def _again(self, stage: Stage, variation: Variation) -> dict[str, str]:
        """Hashes of what the stage makes in the same clone, with something otherwise."""
        run = self.rerun(self.run, variation)
        rebuild.execute(run, [replace(stage, before=())], self.on_stage)
        return _hashes(run, stage)

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


def _hashes(run: Run, stage: Stage) -> dict[str, str]:
    """MD5 of each file of a stage's outputs, by path."""
    root = run.clone.root
    places = [root / out.path for out in stage.outs]
    files = [file for place in places for file in ([place], place.rglob("*"))[place.is_dir()]]
    return {
        str(file.relative_to(root)): hash_of(file, legacy=False) for file in files if file.is_file()
    }


def time_in(text: str, start: float, end: float) -> str | None:
    """The part of a text that is a time between two others (seconds since 1970), in any zone."""
    for found in ISO.findall(text):
        form = "%Y-%m-%d %H:%M:%S" if found.count(":") == 2 else "%Y-%m-%d %H:%M"
        moment = datetime.strptime(found.replace("T", " ").replace("_", " "), form)
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
