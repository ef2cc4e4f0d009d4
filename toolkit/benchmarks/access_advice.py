"""Is `bucket advise` right? Its predictions beside what staging and streaming really take.

Claims, on loopback and two cores: it names the faster way in 95 of 100 cases, and most of the times
that it predicts are within 30 % of the real ones. The data and the reads are those of `access.py`.
"""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Annotated, NamedTuple

import access_data
import typer
from access_data import Sizes
from access_questions import Question, ask, questions
from measuring import Bed, delayed, put_section

#: Where the table goes in the file of results.
TITLE = "## Advice"

READ_AS = (
    "A case is a read of the tables above, staged to the disk and streamed, each in a process of "
    "its own whose clock begins when everything is imported: medians of three. From the disk it is "
    "read as `open_dataset` reads the workspace. Advice is asked for once."
)

#: Numbers of reads that advice is asked for.
READS = (1, 3, 10)

#: How often each is timed.
ROUNDS = 3

#: A way is the faster one if it takes less than this part of the other; else both are right.
CLEAR = 0.95

#: So close is a good prediction.
CLOSE = 0.3


class Times(NamedTuple):
    """Seconds: one streamed read, the fetch of everything, one read from the disk."""

    stream: float
    fetch: float
    local: float

    def of(self, reads: int) -> tuple[float, float]:
        """So many reads, staged and streamed."""
        return self.fetch + reads * self.local, reads * self.stream


def advice_section(
    bed: Bed, names: Sequence[str], sizes: Sizes, delays: Sequence[float]
) -> Iterator[str]:
    """Lines in Markdown: each case, and how often the advice was right."""
    yield from (TITLE, "", f"`make -C toolkit bench` on {os.cpu_count()} cores. {READ_AS}", "")
    yield "| data | read | delay, ms | stream, s: said, was | fetch | read from the disk | right |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    right, close = [], []
    for name in names:
        for title, question in questions(name, sizes.rows(name)).items():
            for delay in delays:
                with delayed(bed.settings.port, delay) as away:
                    endpoint = away.url if delay else bed.settings.endpoint_url
                    was, said = _was(bed, question, endpoint), _said(bed, question, endpoint)
                verdicts = [_is_right(said.of(reads), was.of(reads)) for reads in READS]
                right += verdicts
                for reads in READS:
                    pairs = zip(said.of(reads), was.of(reads), strict=True)
                    close += [abs(one / other - 1) <= CLOSE for one, other in pairs]
                figures = " | ".join(f"{a:.2f}, {b:.2f}" for a, b in zip(said, was, strict=True))
                shown = f"{sum(verdicts)} of {len(verdicts)}"
                yield f"| {name} | {title} | {delay:.0f} | {figures} | {shown} |"
    yield ""
    yield (
        f"For {', '.join(map(str, READS))} reads of each: the faster way was named in "
        f"{sum(right)} of {len(right)} cases (ways within 5 % are both right); "
        f"{sum(close)} of {len(close)} predicted times are within {CLOSE:.0%} of the real one."
    )


def _was(bed: Bed, question: Question, endpoint: str) -> Times:
    """What it takes, with the clock of the other tables."""
    taken = []
    for _ in range(ROUNDS):
        scratch = bed.scratch()
        streamed = ask(bed, "bucket", question, endpoint).seconds
        staged = ask(bed, "copied", question, endpoint, scratch).seconds
        local = ask(bed, "local", question, endpoint, scratch).seconds
        bed.empty(scratch)
        taken.append((streamed, staged, local))
    return Times(*(median(times) for times in zip(*taken, strict=True)))


def _said(bed: Bed, question: Question, endpoint: str) -> Times:
    """What `bucket advise` says."""
    bed.go_to(endpoint, "project")
    command = ["bucket", "advise", question.name, "--json", "--to", str(bed.project.root.parent)]
    if question.columns:
        command += ["--columns", ",".join(question.columns)]
    for name, sign, value in question.filters() or ():
        command += ["--where", f"{name} {sign} {value}"]
    done = subprocess.run(
        command,
        cwd=bed.project.root,
        env=bed.environment(endpoint),
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    return Times(
        found["stream"]["read_seconds"],
        found["stage"]["fetch_seconds"],
        found["stage"]["read_seconds"],
    )


def _is_right(said: tuple[float, float], was: tuple[float, float]) -> bool:
    """Whether the way that was said to be faster is, or is as fast."""
    chosen = 0 if said[0] < said[1] else 1
    return was[chosen] * CLEAR <= was[1 - chosen]


def main(
    tables: Annotated[str, typer.Option(help="Some of them, with commas.")] = (
        "large.parquet,images,images-packed,tables"
    ),
    delays: Annotated[str, typer.Option(help="Milliseconds before the store.")] = "0,20",
    scale: Annotated[float, typer.Option(help="A part of the data, to try it out.")] = 1.0,
    output: Annotated[Path | None, typer.Option(help="Write the section there, too.")] = None,
) -> None:
    """Measure, and print a section in Markdown."""
    with access_data.prepared(scale, tables) as (bed, sizes, names):
        away = [float(delay) for delay in delays.split(",")]
        section = "\n".join(advice_section(bed, names, sizes, away))
    print(section)
    if output:
        put_section(output, TITLE, section)


if __name__ == "__main__":
    typer.run(main)
