"""What reading costs: `bucket`, pandas over s3fs or boto3, polars, duckdb, s5cmd.

Claims, on loopback and two cores: a read filtered by an unsorted column takes at most 1.1 times
the bytes of the column chunks that it needs; of packed images at least 20 times as many come a
second as of plain ones over s3fs, 20 ms away.

Every round runs every way in a process of its own, in turning order, against a store of the
benchmark's own; ratios are of one round each, and medians of those are printed. The clock begins
when everything is imported, and ends with the answer in memory. `bucket` also finds out by git and
DVC which objects are meant, and the others are told. Bytes and requests are counted 20 ms away.
"""

import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import access_data
import typer
from access_questions import Question, Result, ask, questions
from access_ways import WAYS
from measuring import Bed, conditions, delayed, put_section

#: Each data set's tables have a section of their own in the file of results, and so can be
#: measured one at a time.
TITLE = "## Reading {name}"

#: What takes one way minutes, 20 ms away, is read once.
SLOW = {"tables", "images"}

#: Ways that are measured; the others serve to hold advice against.
MEASURED = [name for name in WAYS if name not in {"copied", "local"}]

#: What a read of `bucket` takes before it reads; it has no rows.
FOUND = "bucket, objects found"

HEAD = (
    "| read | way | wall, s | of the best peer's | CPU, s | MB received | requests | peak, MB |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
)


def can(way: str, name: str) -> bool:
    """Whether a way reads such data: polars and duckdb know tables only, images are not pandas'."""
    frames = {"bucket, to pandas", "bucket .scan()", "bucket .to_duckdb()"}
    if name == "images":
        return way not in {"polars", "duckdb", *frames}
    return not (name.endswith("packed") and way in frames - {"bucket, to pandas"}) and not (
        name == "images-packed" and way == "bucket, to pandas"
    )


def rounds_of(
    bed: Bed, question: Question, ways: Sequence[str], delay: float, rounds: int
) -> dict[str, list[Result]]:
    """Run every way in every round; who is first changes."""
    results: dict[str, list[Result]] = {way: [] for way in ways}
    with delayed(bed.settings.port, delay) as away:
        endpoint = away.url if delay else bed.settings.endpoint_url
        for number in range(rounds):
            turn = number % len(ways)
            for way in (*ways[turn:], *ways[:turn]):
                result = ask(bed, way, question, endpoint)
                results[way].append(result._replace(traffic=away.traffic()))
    answers = [found for way, found in results.items() if way != FOUND]
    counts = {result.rows for found in answers for result in found}
    if len(counts) != 1:
        sys.exit(f"{question}: the ways found {counts} rows")
    return results


def rows_of(title: str, results: dict[str, list[Result]]) -> Iterator[str]:
    """The lines of a table: medians, and the median ratio to the fastest peer of that round."""
    peers = [found for way, found in results.items() if not way.startswith("bucket")]
    for way, found in results.items():
        ratio = ""
        if peers:
            fastest = [min(one.seconds for one in several) for several in zip(*peers, strict=True)]
            pairs = zip(found, fastest, strict=True)
            ratio = f"{statistics.median(one.seconds / least for one, least in pairs):.2f}"
        wall = statistics.median(one.seconds for one in found)
        cpu = statistics.median(one.cpu_seconds for one in found)
        peak = statistics.median(one.peak_mb for one in found)
        traffic = found[0].traffic
        counted = f"{traffic.size / 1e6:.1f} | {traffic.requests:,}" if traffic.requests else " | "
        yield f"| {title} | {way} | {wall:.2f} | {ratio} | {cpu:.2f} | {counted} | {peak:.0f} |"


def main(
    rounds: Annotated[int, typer.Option(help="How often each way runs.")] = 3,
    tables: Annotated[str, typer.Option(help="Some of them, with commas.")] = (
        "large.parquet,packed,images,images-packed,tables"
    ),
    ways: Annotated[str, typer.Option(help="Some of them, with semicolons.")] = ";".join(MEASURED),
    delays: Annotated[str, typer.Option(help="Milliseconds before the store.")] = "0,20",
    scale: Annotated[float, typer.Option(help="A part of the data, to try it out.")] = 1.0,
    output: Annotated[Path | None, typer.Option(help="Write the section there, too.")] = None,
) -> None:
    """Measure, and print the medians as a section of each data set, in Markdown."""
    with access_data.prepared(scale, tables) as (bed, sizes, names):
        for name in names:
            # What was read of a part of the data does not replace what was read of all.
            title = TITLE.format(name=name) + ("" if scale == 1 else f", {scale:g} of the data")
            lines = [title, "", head(rounds, scale)]
            for delay in map(float, delays.split(",")):
                times = 1 if delay and name in SLOW else rounds
                lines += ["", f"{delay:.0f} ms away, rounds: {times}", "", *HEAD]
                for read, question in questions(name, sizes.rows(name)).items():
                    asked = [way for way in ways.split(";") if can(way, name)]
                    results = rounds_of(bed, question, asked, delay, times)
                    lines += rows_of(read, results)
                    print("\n".join(lines[-len(results) :]), flush=True)
                if output:  # at once, as the whole takes long
                    put_section(output, title, "\n".join(lines))


def head(rounds: int, scale: float) -> str:
    """How the tables of a section were made."""
    return (
        f"{conditions(rounds)}, the embedded store on the same machine. "
        + " ".join((__doc__ or "").split("\n\n")[2].split())
        + ("" if scale == 1 else f" Of the data only {scale:g} was read.")
    )


if __name__ == "__main__":
    typer.run(main)
