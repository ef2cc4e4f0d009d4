"""What moving data costs: `bucket push` and `pull`, plain `dvc`, `s5cmd`, `rclone`.

Claims, on loopback and two cores: a pull of 10,000 files of 4 KiB to a checked-out workspace, and
a push of them, each take at most 1.5 times what `s5cmd cp` of the same objects takes; a pull with
nothing to do less than a second; no case more than 300 MB. What a pull costs over `s5cmd` is DVC's
start and index, and the hashing of every byte: 1.4 s of one core a GiB.

All rounds together take an hour and 90 GB of disk: nothing is deleted between them.

Every round runs every tool, one after the other in turning order, against a store of the
benchmark's own; ratios are of one round each, and medians of those are printed. `s5cmd` and
`rclone` copy the same objects to a folder and back: no versions, no hashes, no checkout.
"""

import os
import shlex
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from measuring import Bed, delayed, put_section
from stages import Cost, run

from dvc_bucket.connection import clients

#: Where the table goes in the file of results.
TITLE = "## Moving data"

OPERATIONS = ("push", "pull", "pull again", "status -c")
TOOLS = ("bucket", "dvc -j 64", "s5cmd", "rclone")

#: Jobs of DVC that were the best of 8 to 128 in trials.
JOBS = ["-j", "64"]

#: Files above this size that nobody needs give their room back.
LARGE_BYTES = 100_000


class Case(NamedTuple):
    """Files of one size."""

    number: int
    size: int

    def scaled(self, scale: float) -> "Case":
        """A smaller one of the same kind: fewer files, or a smaller one."""
        if self.number > 1:
            return Case(max(2, int(self.number * scale)), self.size)
        return Case(1, max(1, int(self.size * scale)))


CASES = {
    "10,000 x 4 KiB": Case(10_000, 4096),
    "1 x 1 GiB": Case(1, 2**30),
    "2,000 x 1 MiB": Case(2_000, 2**20),
}
LETTERS = dict(zip("abc", CASES, strict=True))


class Bench(Bed):
    """A project, its store, and how each tool moves its data.

    Args:
        root: an empty folder.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.raw = root / "raw"
        self._aside = root / "aside"
        self._round = 0

    def make(self, case: Case) -> None:
        """Random data, and DVC's list of it."""
        folder = self.project.root / "data"
        self._put_aside(folder, self._cache)
        fill(folder, case)
        self._run(["dvc", "add", "-q", "data"], self.settings.endpoint_url)

    def measure(self, tool: str, endpoint: str) -> dict[str, Cost]:
        """What each operation costs with a tool, to a prefix of its own."""
        self._round += 1
        prefix = f"round-{self._round}"
        place = f"{self.settings.bucket_name}/{prefix}/files/md5"
        self.go_to(endpoint, prefix)
        if tool == "s5cmd":
            # It leaves out a folder's files if the folder's name does not end so.
            up = ["s5cmd", "cp", f"{self._cache}/files/md5/", f"s3://{place}/"]
            down = ["s5cmd", "cp", f"s3://{place}/*", f"{self.raw}/"]
            return self._raw(up, down, endpoint)
        if tool == "rclone":
            flags = ["--transfers", "32", "--checkers", "32", "--config", os.devnull]
            there, here = f"{clients.ALIAS}:{place}", f"{self._cache}/files/md5"
            up = ["rclone", "copy", *flags, "--no-check-dest", here, there]
            down = ["rclone", "copy", *flags, "--no-check-dest", there, str(self.raw)]
            return self._raw(up, down, endpoint)
        jobs = JOBS if tool.endswith("64") else []
        words = ["bucket", "dvc"] if tool == "bucket" else ["dvc"]
        costs = {"push": self._run([*words, "push", "-q", *jobs], endpoint)}
        self._put_aside(self._cache, self.project.root / "data", self.project.dvc_site_cache)
        costs["pull"] = self._run([*words, "pull", "-q", *jobs], endpoint)
        costs["pull again"] = self._run([*words, "pull", "-q", *jobs], endpoint)
        costs["status -c"] = self._run([*words, "status", "-q", "-c", *jobs], endpoint)
        return costs

    @property
    def _cache(self) -> Path:
        return self.project.root / ".dvc" / "cache"

    def _raw(self, up: list[str], down: list[str], endpoint: str) -> dict[str, Cost]:
        costs = {"push": self._run(up, endpoint)}
        costs["pull"] = self._run(down, endpoint)
        self._put_aside(self.raw)
        return costs

    def _put_aside(self, *folders: Path) -> None:
        """Have them gone without deleting a file, before the end.

        For minutes ext4 gives out no inode that was freed (`recently_deleted` in its ialloc.c), and
        looks at each of them whenever a file is made: it doubled what a pull costs the kernel.
        """
        for folder in filter(Path.exists, folders):
            self._aside.mkdir(exist_ok=True)
            place = Path(tempfile.mkdtemp(dir=self._aside)) / folder.name
            folder.rename(place)
            for path in place.rglob("*"):
                if path.is_file() and path.stat().st_size > LARGE_BYTES:
                    path.chmod(0o600)
                    os.truncate(path, 0)

    def _run(self, command: list[str], endpoint: str) -> Cost:
        return run(shlex.join(command), self.project.root, self.environment(endpoint))


def fill(folder: Path, case: Case) -> None:
    """Make a folder of files with random content."""
    folder.mkdir()
    for number in range(case.number):
        with (folder / f"{number}.bin").open("wb") as file:
            for _ in range(-(-case.size // 2**24)):
                file.write(os.urandom(min(case.size, 2**24)))


#: Costs of every round, by tool and operation.
Costs = dict[tuple[str, str], list[Cost]]


def rounds_of(bench: Bench, endpoint: str, rounds: int, tools: list[str]) -> Costs:
    """Run every tool in every round; who is first changes."""
    costs: Costs = {}
    for number in range(rounds):
        turn = number % len(tools)
        for tool in (*tools[turn:], *tools[:turn]):
            for operation, cost in bench.measure(tool, endpoint).items():
                costs.setdefault((tool, operation), []).append(cost)
    return costs


def rows_of(costs: Costs, tools: Sequence[str] = TOOLS) -> Iterator[str]:
    """The lines of a table: medians, and the median ratio of wall time to s5cmd's of that round."""
    for operation in OPERATIONS:
        base = costs.get(("s5cmd", operation))
        for tool in tools:
            if not (found := costs.get((tool, operation))):
                continue
            middle = Cost(*(statistics.median(values) for values in zip(*found, strict=True)))
            ratio = ""
            if base:
                pairs = zip(found, base, strict=True)
                ratio = f"{statistics.median(one.wall / other.wall for one, other in pairs):.2f}"
            yield (
                f"| {operation} | {tool} | {middle.wall:.1f} | {ratio} | {middle.cpu:.1f} "
                f"| {middle.peak_mb:.0f} |"
            )


def main(
    rounds: Annotated[int, typer.Option(help="How often each tool runs.")] = 3,
    cases: Annotated[str, typer.Option(help="a: many small, b: one large, c: some MiB.")] = "abc",
    delays: Annotated[str, typer.Option(help="Milliseconds before the store.")] = "0,20",
    tools: Annotated[str, typer.Option(help="Some of them, with commas.")] = ",".join(TOOLS),
    scale: Annotated[float, typer.Option(help="A part of the files, to try it out.")] = 1.0,
    output: Annotated[Path | None, typer.Option(help="Write the section there, too.")] = None,
) -> None:
    """Measure, and print the medians as a section in Markdown."""
    lines = [
        TITLE,
        "",
        f"`make -C toolkit bench`, medians of {rounds} rounds on {os.cpu_count()} cores, "
        f"Python {sys.version.split()[0]}, the embedded store on the same machine. "
        "s5cmd and rclone copy the same objects, without versions, hashes and checkout."
        + ("" if scale == 1 else f" Of the numbers in the titles only {scale:g} was moved."),
    ]
    show: Callable[[str], None] = print
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        try:
            for letter in cases:
                bench.make(CASES[LETTERS[letter]].scaled(scale))
                for delay in map(float, delays.split(",")):
                    with delayed(bench.settings.port, delay) as slow:
                        endpoint = slow.url if delay else bench.settings.endpoint_url
                        costs = rounds_of(bench, endpoint, rounds, tools.split(","))
                    where = f", {delay:.0f} ms away" if delay else ""
                    lines += ["", f"### {LETTERS[letter]}{where}", "", *HEAD, *rows_of(costs)]
                    show("\n".join(lines[-len(costs) - 4 :]))
                    if output:  # at once, as the whole takes an hour
                        put_section(output, TITLE, "\n".join(lines))
        finally:
            bench.stop()


#: Of every table.
HEAD = (
    "| operation | tool | wall, s | of s5cmd's wall | CPU, s | peak memory, MB |",
    "| --- | --- | --- | --- | --- | --- |",
)


if __name__ == "__main__":
    typer.run(main)
