"""What moving data costs: `bucket push` and `pull`, plain `dvc`, `s5cmd`, `rclone`.

Claims, on loopback and two cores: a pull of 10,000 files of 4 KiB to a checked-out workspace, and
a push of them, each take at most 1.5 times what `s5cmd cp` of the same objects takes; a pull with
nothing to do less than a second; no case more than 300 MB. What a pull costs over `s5cmd` is DVC's
start and index, and the hashing of every byte: 1.4 s of one core a GiB.

All rounds together take an hour and 90 GB of disk: nothing is deleted between them.

Every round runs every tool, one after the other in turning order, against a store of the
benchmark's own, after a warm-up with a few files; ratios are of one round each, and medians of
those are printed. `s5cmd` and `rclone` copy the same objects to a folder and back, and compare the
sizes where they did so before: no versions, no hashes, no checkout.

If root runs it, the tools run as an ordinary user, for whom DVC links files to its cache; with
`--root` they run as root, for whom it copies. Each heading is a subsection of its own in the file
of results, so cases can be measured one by one.
"""

import os
import shlex
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from measuring import Bed, conditions, delayed, leave_root, put_section, spread
from stages import Cost, run

from dvc_bucket.connection import clients

#: Where the table goes in the file of results.
TITLE = "## Moving data"

OPERATIONS = (
    *("push", "push again", "pull", "pull again", "status", "status -c"),
    *("one more: add", "one more: push"),
)
TOOLS = ("bucket", "dvc -j 64", "s5cmd", "rclone")

#: Jobs of DVC that were the best of 8 to 128 in trials.
JOBS = ["-j", "64"]

#: Files above this size that nobody needs give their room back.
LARGE_BYTES = 100_000


#: More files than this are moved once only.
MANY = 100_000


class Case(NamedTuple):
    """Files of one size, and the tools that move them."""

    number: int
    size: int
    tools: Sequence[str] = TOOLS

    def scaled(self, scale: float) -> "Case":
        """A smaller one of the same kind: fewer files, or a smaller one."""
        if self.number > 1:
            return self._replace(number=max(2, int(self.number * scale)))
        return self._replace(size=max(1, int(self.size * scale)))


CASES = {
    "10,000 x 4 KiB": Case(10_000, 4096),
    "1 x 1 GiB": Case(1, 2**30),
    "2,000 x 1 MiB": Case(2_000, 2**20),
    "1,000 x 4 KiB": Case(1_000, 4096, ("bucket", "s5cmd", "rclone")),
    "50,000 x 4 KiB": Case(50_000, 4096, ("bucket", "s5cmd", "rclone")),
    "200,000 x 4 KiB": Case(200_000, 4096, ("bucket", "s5cmd")),
}
LETTERS = dict(zip("abcdef", CASES, strict=True))
LETTERS_HELP = "; ".join(f"{letter}: {name}" for letter, name in LETTERS.items())

#: Files of the warm-up.
WARM_UP = Case(100, 4096)


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
        self.go_to(endpoint, prefix)
        if tool in {"s5cmd", "rclone"}:
            place = f"{self.settings.bucket_name}/{prefix}/files/md5"
            return self._plain(tool, self._cache / "files" / "md5", place, endpoint)
        jobs = JOBS if tool.endswith("64") else []

        def run(*words: str) -> Cost:
            return self._run([tool.split()[0], *words, "-q"], endpoint)

        costs = {"push": run("push", *jobs), "push again": run("push", *jobs)}
        data = self.project.root / "data"
        self._put_aside(self._cache, data, self.project.dvc_site_cache)
        costs |= {"pull": run("pull", *jobs), "pull again": run("pull", *jobs)}
        costs |= {"status": run("status"), "status -c": run("status", "-c", *jobs)}
        with one_more(data):
            return costs | {
                "one more: add": run("add", "data"),
                "one more: push": run("push", *jobs),
            }

    def _plain(self, tool: str, here: Path, place: str, endpoint: str) -> dict[str, Cost]:
        """What the operations cost with a tool that knows folders only."""
        if tool == "s5cmd":
            # It leaves out a folder's files if the folder's name does not end so.
            up, down = [f"{here}/", f"s3://{place}/"], [f"s3://{place}/*", f"{self.raw}/"]
            copy, again = ["s5cmd", "cp"], ["s5cmd", "sync", "--size-only"]
        else:
            there = f"{clients.ALIAS}:{place}"
            up, down = [str(here), there], [there, str(self.raw)]
            flags = ["--transfers", "32", "--checkers", "32", "--config", os.devnull]
            copy, again = (
                ["rclone", "copy", *flags, check] for check in ("--no-check-dest", "--size-only")
            )
        commands = {"push": copy + up, "push again": again + up}
        commands |= {"pull": copy + down, "pull again": again + down}
        costs = self._raw(commands, endpoint)
        with one_more(here):
            return costs | {"one more: push": self._run(again + up, endpoint)}

    @property
    def _cache(self) -> Path:
        return self.project.root / ".dvc" / "cache"

    def _raw(self, commands: dict[str, list[str]], endpoint: str) -> dict[str, Cost]:
        costs = {name: self._run(command, endpoint) for name, command in commands.items()}
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


@contextmanager
def one_more(folder: Path) -> Iterator[None]:
    """Have one file more in a folder, and DVC's list of the folder as it was afterwards."""
    file, notes = folder / "one-more", folder.with_name(f"{folder.name}.dvc")
    text = notes.read_bytes() if notes.exists() else b""
    file.write_bytes(os.urandom(100))
    try:
        yield
    finally:
        file.unlink()
        if text:
            notes.write_bytes(text)


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
    """Run every tool in every round, but plain `dvc` once; who is first changes."""
    costs: Costs = {}
    for number in range(rounds):
        turn = number % len(tools)
        for tool in (*tools[turn:], *tools[:turn]):
            if number and tool.startswith("dvc"):
                continue
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
            ratio = ""
            if base:
                pairs = zip(found, base, strict=False)
                ratio = spread([one.wall / other.wall for one, other in pairs], 2)
            cpu, peak = (statistics.median(values) for values in list(zip(*found, strict=True))[1:])
            wall = spread([cost.wall for cost in found])
            yield f"| {operation} | {tool} | {wall} | {ratio} | {cpu:.1f} | {peak:.0f} |"


def table(title: str, rounds: int, scale: float, costs: Costs) -> str:
    """The subsection of a case."""
    moved = "" if scale == 1 else f"; only {scale:g} of the number was moved"
    return "\n".join([title, "", f"{conditions(rounds)}{moved}.", "", *HEAD, *rows_of(costs)])


def main(
    rounds: Annotated[int, typer.Option(help="How often each tool runs.")] = 3,
    cases: Annotated[str, typer.Option(help=LETTERS_HELP)] = "abc",
    delays: Annotated[str, typer.Option(help="Milliseconds before the store.")] = "0,20",
    tools: Annotated[str, typer.Option(help="Some of them, with commas.")] = ",".join(TOOLS),
    scale: Annotated[float, typer.Option(help="A part of the files, to try it out.")] = 1.0,
    root: Annotated[bool, typer.Option("--root", help="As root, with copies.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(help="Write the section there, too.", readable=False),  # of root, perhaps
    ] = None,
) -> None:
    """Measure, and print the medians as a section in Markdown."""
    if not root:
        leave_root()
    show: Callable[[str], None] = print
    chosen = tools.split(",")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        try:
            bench.make(WARM_UP)
            rounds_of(bench, bench.settings.endpoint_url, 1, chosen)
            for letter in cases:
                case = CASES[LETTERS[letter]]
                bench.make(case.scaled(scale))
                times = rounds if case.number < MANY else 1
                for delay in map(float, delays.split(",")):
                    with delayed(bench.settings.port, delay) as slow:
                        endpoint = slow.url if delay else bench.settings.endpoint_url
                        movers = [tool for tool in chosen if tool in case.tools]
                        costs = rounds_of(bench, endpoint, times, movers)
                    title = f"### {LETTERS[letter]}" + (f", {delay:.0f} ms away" if delay else "")
                    title += ", root" if root else ""
                    section = table(title, times, scale, costs)
                    show(section)
                    if output:  # at once, as the whole takes an hour
                        put_section(output, title, section, under=f"{TITLE}\n\n{INTRODUCTION}")
        finally:
            bench.stop()


#: Below the heading of all tables.
INTRODUCTION = """\
The embedded store is on the same machine. s5cmd and rclone copy the same objects, without versions,
hashes and checkout; where the objects are there already, they compare sizes. In brackets are the
smallest and the largest figure of the rounds; plain `dvc` runs in the first one only. DVC links
files to its cache; for root it copies.
"""

#: Of every table.
HEAD = (
    "| operation | tool | wall, s | of s5cmd's wall | CPU, s | peak memory, MB |",
    "| --- | --- | --- | --- | --- | --- |",
)


if __name__ == "__main__":
    typer.run(main)
