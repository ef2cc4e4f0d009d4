"""What a further run changes and how long it will take, as the first run tells; said beforehand."""

from collections.abc import Iterator, Sequence

from dvc_bucket.jobs.check.runs import CloneRun
from dvc_bucket.jobs.check.variations import FIRST, Variation

#: Runs of a stage with one cause, in a search for causes.
USUAL_RUNS = 15


def of_runs(further: Sequence[Variation], first: CloneRun) -> Iterator[str]:
    """A sentence about each further run.

    Args:
        further: what is changed in each.
        first: whose times are taken.
    """
    together = sum(first.seconds.values())
    for number, variation in enumerate(further, start=2):
        what = "nothing" if variation == FIRST else variation.what
        # On one CPU, one stage runs at a time.
        took = _words(together if variation.one_cpu else min(together, _span(first)))
        yield f"Run {number} of {len(further) + 1} changes {what}: about {took}."


def of_search(names: Sequence[str], first: CloneRun) -> str:
    """A sentence about the search for causes in stages, by name."""
    took = _words(USUAL_RUNS * sum(first.seconds[name] for name in names))
    return (
        f"Looking for the cause in {', '.join(names)}, one condition at a time, with about "
        f"{USUAL_RUNS} runs of each stage: about {took}."
    )


def _span(run: CloneRun) -> float:
    """Seconds from the begin of the first stage to the end of the last one."""
    seen = [one for one in run.executions.values() if one.state != "not run"]
    return max(one.ended for one in seen) - min(one.started for one in seen) if seen else 0


def _words(seconds: float) -> str:
    """A duration of which only the order counts."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
