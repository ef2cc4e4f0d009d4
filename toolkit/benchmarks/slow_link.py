"""What moving data costs over a slow link that is far away: a home, or a campus in another country.

Claims, at 20 MB/s each way and 100 ms: `bucket push` and `pull` of 500 MB take at most 1.04 times
what `s5cmd cp` of the same objects takes, in one file as in files of 2 MiB. What they take longer
is DVC's start, half a second a command. Small files that `bucket pack` made into shards move at
least twice as fast as the files.

The link is the tests' proxy: all bodies of one direction share the rate, each request arrives later
by the delay, and a connection is made in no time. The first table is the proxy without limits: its
rate limits no other table. The proxy serves about 1,000 requests a second, which is what limits
every tool that moves small files one by one.

Every round runs every tool, as in `benchmarks/transfer.py`; a round of a case takes up to two
minutes.
"""

import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from measuring import proxied, put_section
from stages import Cost
from transfer import HEAD, Bench, Case, Costs, fill, rounds_of, rows_of

TITLE = "## A slow link"

TOOLS = ("bucket", "s5cmd")

LARGE, SMALL, PACKED = "1 x 500 MB", "10,000 x 4 KiB", "10,000 x 4 KiB, packed"

CASES = {
    LARGE: Case(1, 500_000_000),
    "250 x 2 MiB": Case(250, 2 * 2**20),
    SMALL: Case(10_000, 4096),
    PACKED: Case(10_000, 4096),
}


class SlowLink(Bench):
    """A project that an ordinary user has: DVC links its files to the cache."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        text = '[cache]\ntype = "reflink,hardlink,symlink,copy"\n'
        self.project.dvc_config_local.write_text(text, encoding="utf-8")

    def make_packed(self, case: Case) -> None:
        """The same as `make`, of the shards that `bucket pack` makes of the files."""
        files, data = self.project.root.parent / "files", self.project.root / "data"
        self._put_aside(data, self._cache)
        fill(files, case)
        for words in (["bucket", "pack", str(files), "data"], ["dvc", "add", "-q", "data"]):
            self._run(words, self.settings.endpoint_url)
        self._put_aside(files)

    def measure(self, tool: str, endpoint: str) -> dict[str, Cost]:
        """What moves the data, with a tool, to a prefix of its own."""
        costs = super().measure(tool, endpoint)
        return {operation: costs[operation] for operation in ("push", "pull")}


def how_much_faster(packed: Costs, small: Costs) -> str:
    """A sentence: how many times as long the files take as the shards, with `bucket`."""
    factors = [
        statistics.median(cost.wall for cost in small["bucket", operation])
        / statistics.median(cost.wall for cost in packed["bucket", operation])
        for operation in ("push", "pull")
    ]
    return "Packed, `bucket push` is {:.1f} and `bucket pull` {:.1f} times as fast.".format(
        *factors
    )


def main(
    rounds: Annotated[int, typer.Option(help="How often each tool runs.")] = 3,
    rate: Annotated[float, typer.Option(help="MB a second, each way.")] = 20.0,
    delay: Annotated[float, typer.Option(help="Milliseconds of a request.")] = 100.0,
    scale: Annotated[float, typer.Option(help="A part of the files, to try it out.")] = 1.0,
    output: Annotated[Path | None, typer.Option(help="Write the section there, too.")] = None,
) -> None:
    """Measure, and print the medians as a section in Markdown."""
    lines = [
        TITLE,
        "",
        f"`python benchmarks/slow_link.py --rounds {rounds}` in `toolkit/`, medians, on "
        f"{os.cpu_count()} cores, Python {sys.version.split()[0]}: {rate:g} MB/s each way, and "
        f"{delay:g} ms for each request, by a proxy before the embedded store. "
        "s5cmd copies the same objects, without versions, hashes and checkout."
        + ("" if scale == 1 else f" Of the numbers in the titles only {scale:g} was moved."),
    ]

    def show(title: str, costs: Costs) -> None:
        lines.extend(["", f"### {title}", "", *HEAD, *rows_of(costs, TOOLS)])
        print("\n".join(lines[-len(costs) - 4 :]), flush=True)

    with tempfile.TemporaryDirectory() as folder:
        bench = SlowLink(Path(folder))
        measured: dict[str, Costs] = {}
        try:
            with proxied(bench.settings.port) as link:
                bench.make(CASES[LARGE].scaled(scale))
                show(f"{LARGE}, no limit", rounds_of(bench, link.url, 1, list(TOOLS)))
                link.faults(latency=delay / 1000, rate=rate * 1e6)
                for name, case in CASES.items():
                    (bench.make_packed if name == PACKED else bench.make)(case.scaled(scale))
                    measured[name] = rounds_of(bench, link.url, rounds, list(TOOLS))
                    show(name, measured[name])
        finally:
            bench.stop()
    lines += ["", how_much_faster(measured[PACKED], measured[SMALL])]
    print(lines[-1])
    if output:
        put_section(output, TITLE, "\n".join(lines))


if __name__ == "__main__":
    typer.run(main)
