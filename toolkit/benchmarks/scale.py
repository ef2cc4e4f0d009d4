"""What size costs: `clean` and `features` of 1, 10 and 100 years of flights, and peers' features.

Claims, on two cores: with 100 times the flights the stages' memory is at most 1.3 times what it is
with one, and a row costs at most 1.2 times what it costs with 10; with 10, `features` takes at most
1.5 times the time of the faster of polars and duckdb, and two processes are at least 1.6 times as
fast as one; a Dask cluster that is up takes at most 1.2 times the time of two processes, what both
take to start left out (that is the column without start-up, of 2 processes').

Every round runs every way, one after the other in turning order; ratios are of one round each, and
medians of those are printed. Each result is held against the others: the stages' must be the same
bytes, the peers' the same rows. A size takes a minute, four and a quarter of an hour; `--results`
keeps what was measured, so that one size can be measured at a time.
"""

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, NamedTuple

import psutil
import typer
from measuring import put_section
from scale_trial import ONE, OURS, STAGES, START, TWO, Trial
from scale_ways import WAYS
from stages import adopt_orphans

TITLE = "## Scale"

#: From so many copies on a round takes minutes, and there is one.
LARGE = 100

#: Peers that the wall time is held against.
FAST = ("polars streaming", "duckdb")


class Run(NamedTuple):
    """One run of a stage; a line of the file of what was measured."""

    copies: int
    number: int
    stage: str
    way: str
    flights: int
    wall: float
    cpu: float
    peak_mb: float


def measure(copies: int, rounds: int, known: Sequence[Run]) -> Iterator[Run]:
    """Run both stages every way at one size, so many times."""
    with tempfile.TemporaryDirectory() as temporary:
        trial = Trial(copies, Path(temporary))
        peers = ([*OURS], [*OURS], [*OURS, *WAYS])
        for stage, ways in zip((START, *STAGES), peers, strict=True):
            fitting = [way for way in ways if fits(way, copies, known)]
            for number in range(rounds):
                turn = number % len(fitting)
                for way in (*fitting[turn:], *fitting[:turn]):
                    cost = trial.run(stage, way)
                    yield Run(copies, number, stage, way, trial.flights(), *cost)


def fits(way: str, copies: int, known: Sequence[Run]) -> bool:
    """Whether a peer, whose memory grows with the rows, is to be expected in half of this one's."""
    expected = max(
        [run.peak_mb * copies / run.copies for run in known if run.way == way], default=0
    )
    return way in OURS or expected * 1e6 < psutil.virtual_memory().total / 2


def ratio(over: Sequence[Run], under: Sequence[Sequence[Run]]) -> str:
    """The median of a way's wall time over the least of others' in the same round."""
    if not all(under):
        return ""
    least = [min(run.wall for run in runs) for runs in zip(*under, strict=True)]
    pairs = zip(over, least, strict=True)
    return f"{statistics.median(run.wall / other for run, other in pairs):.2f}"


def beyond_start(over: Sequence[Run], under: Sequence[Run], starts: Sequence[Run]) -> str:
    """The median of a way's wall time over another's in the same round, start-up left out of both.

    Args:
        over: runs of a way.
        under: runs of the other one.
        starts: runs that had nothing to do, of all ways.
    """
    start = {way: median([run for run in starts if run.way == way], "wall") for way in OURS}
    pairs = zip(over, under, strict=True)
    ratios = [(a.wall - start[a.way]) / (b.wall - start[b.way]) for a, b in pairs]
    return f"{statistics.median(ratios):.2f}"


def median(runs: Sequence[Run], name: str) -> float:
    """Of one of the costs."""
    return float(statistics.median(getattr(run, name) for run in runs))


def table_of(stage: str, runs: Sequence[Run]) -> Iterator[str]:
    """The costs of one stage at one size."""
    starts = [run for run in runs if run.stage == START]
    found = {
        way: [run for run in runs if (run.stage, run.way) == (stage, way)] for way in (*OURS, *WAYS)
    }
    peers = [found[peer] for peer in FAST if found[peer]] or [[]]
    yield f"| {stage} by | wall, s | of the faster peer's | of 1 process's | of 2 processes' " + (
        "| without start-up | CPU, s | CPU a flight, µs | peak memory, MB |"
    )
    yield "|" + " --- |" * 9
    for way, own in found.items():
        if not own:
            continue
        ratios = [ratio(own, under) for under in (peers, [found[ONE]], [found[TWO]])]
        is_ours = way in OURS and stage != START
        ratios.append(beyond_start(own, found[TWO], starts) if is_ours else "")
        cpu, flights = median(own, "cpu"), own[0].flights
        yield (
            f"| {way} | {median(own, 'wall'):.1f} | {' | '.join(ratios)} | {cpu:.1f} "
            f"| {f'{cpu / flights * 1e6:.2f}' if flights else ''} | {median(own, 'peak_mb'):.0f} |"
        )


def growth(runs: Sequence[Run]) -> Iterator[str]:
    """What a way costs at one size over what it costs at the size before."""
    sizes = sorted({run.copies for run in runs})
    if len(sizes) < 2:
        return
    yield from ("### From size to size", "")
    yield "| stage | way | sizes | wall a flight | CPU a flight | peak memory | of the least's |"
    yield "|" + " --- |" * 7
    keys = dict.fromkeys((run.stage, run.way) for run in runs if run.stage != START)
    for stage, way in keys:
        of = {
            size: [run for run in runs if (run.stage, run.way, run.copies) == (stage, way, size)]
            for size in sizes
        }
        for less, more in pairwise(size for size in sizes if of[size]):
            wall, cpu = (
                median(of[more], cost) / median(of[less], cost) * less / more
                for cost in ("wall", "cpu")
            )
            peaks = {size: median(found, "peak_mb") for size, found in of.items() if found}
            yield (
                f"| {stage} | {way} | {more} x over {less} x | {wall:.2f} | {cpu:.2f} "
                f"| {peaks[more] / peaks[less]:.2f} | {peaks[more] / peaks[sizes[0]]:.2f} |"
            )


def render(runs: Sequence[Run]) -> str:
    """All of it as a section in Markdown."""
    lines = [TITLE, "", head()]
    for copies in sorted({run.copies for run in runs}):
        here = [run for run in runs if run.copies == copies]
        rounds = max(run.number for run in here) + 1
        lines += ["", f"### {copies} x: {here[-1].flights:,} flights, rounds: {rounds}"]
        for stage in dict.fromkeys(run.stage for run in here):
            lines += ["", *table_of(stage, here)]
        if absent := [way for way in WAYS if all(run.way != way for run in here)]:
            lines += ["", f"Not run, as it would need half of the memory: {', '.join(absent)}."]
    return "\n".join([*lines, "", *growth(runs)])


def head() -> str:
    """How the tables were made."""
    memory = psutil.virtual_memory().total / 1e9
    return (
        f"`make -C toolkit bench` on {os.cpu_count()} cores and {memory:.0f} GB, "
        f"Python {sys.version.split()[0]}. " + " ".join((__doc__ or "").split("\n\n")[2].split())
    )


def main(
    sizes: Annotated[str, typer.Option(help="Copies of the flights, with commas.")] = "1,10,100",
    rounds: Annotated[int, typer.Option(help=f"How often each way runs, below {LARGE}.")] = 3,
    results: Annotated[Path | None, typer.Option(help="Lines of JSON: read, and added to.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write the section there, too.")] = None,
) -> None:
    """Measure, and print the medians as Markdown tables."""
    adopt_orphans()
    runs: list[Run] = []
    if results and results.exists():
        lines = results.read_text(encoding="utf-8").splitlines()
        runs = [Run(*json.loads(line)) for line in lines]
    for copies in map(int, sizes.split(",")):
        for run in measure(copies, 1 if copies >= LARGE else rounds, runs):
            runs.append(run)
            print(run, flush=True)
            if results:
                with results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(run) + "\n")
    section = render(runs)
    print(section)
    if output:
        put_section(output, TITLE, section)


if __name__ == "__main__":
    typer.run(main)
