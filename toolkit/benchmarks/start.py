"""What the start of a command costs, and commands in projects of many stages.

Claims, on two cores: `bucket --help` at most 0.15 s and `bucket ls` 0.3 s; with N stages that are
all up to date, `status`, `pull`, `push` and `verify` at most 1 s and 1 ms a stage.

The project of N stages is written as DVC records it, and `dvc status` has to find it up to date.
Each command runs twice: after a change of `dvc.yaml` that changes nothing DVC looks at, and again.
Every round runs every command, one after the other.
"""

import hashlib
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from measuring import Bed, conditions, put_section
from stages import Cost, run

TITLE = "## Start, and many stages"

#: What is measured in each project.
COMMANDS = (
    *("bucket --help", "bucket ls", "bucket status", "bucket push", "bucket pull"),
    *("bucket verify", "bucket du", "bucket report --base HEAD"),
    *("bucket repro", "dvc status"),
)

#: A comment more in dvc.yaml: each first run has a file that it has not seen.
COMMENT = "# round {}\n"

STAGE = """\
  s{number}:
    cmd: cp in/{number} out/{number}
    deps:
    - in/{number}
    outs:
    - out/{number}
"""

RECORD = """\
  s{number}:
    cmd: cp in/{number} out/{number}
    deps:
    - path: in/{number}
      hash: md5
      md5: {md5}
      size: {size}
    outs:
    - path: out/{number}
      hash: md5
      md5: {md5}
      size: {size}
"""


class Bench(Bed):
    """A project of many stages that are up to date and pushed, and a store for it."""

    def __init__(self, root: Path, stages: int) -> None:
        super().__init__(root)
        self.go_to(self.settings.endpoint_url, "start")
        flow, lock = ["stages:\n"], ["schema: '2.0'\nstages:\n"]
        for number in range(stages):
            content = f"{number}\n".encode()
            md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
            cached = f".dvc/cache/files/md5/{md5[:2]}/{md5[2:]}"
            for path in (f"in/{number}", f"out/{number}", cached):
                place = self.project.root / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
            flow.append(STAGE.format(number=number))
            lock.append(RECORD.format(number=number, md5=md5, size=len(content)))
        (self.project.root / "dvc.yaml").write_text("".join(flow), encoding="utf-8")
        self.project.dvc_lock.write_text("".join(lock), encoding="utf-8")
        ignored = "/out\n/.env\n/.bucket\n/.dvc/tmp\n/.dvc/cache\n/.dvc/config.local\n"
        (self.project.root / ".gitignore").write_text(ignored, encoding="utf-8")
        who = ("-c", "user.name=Benchmark", "-c", "user.email=benchmark@example.org")
        for words in (("add", "--all"), (*who, "commit", "-q", "-m", "Stages")):
            subprocess.run(["git", *words], cwd=self.project.root, check=True)
        self.measure("bucket push")
        if "up to date" not in self._output("dvc status"):
            sys.exit("DVC does not find the stages up to date.")

    def change(self, number: int) -> None:
        """Give dvc.yaml another content that says the same."""
        with (self.project.root / "dvc.yaml").open("a", encoding="utf-8") as file:
            file.write(COMMENT.format(number))

    def measure(self, command: str) -> Cost:
        """What a command costs."""
        environment = self.environment(self.settings.endpoint_url)
        return run(command, self.project.root, environment)

    def _output(self, command: str) -> str:
        environment = self.environment(self.settings.endpoint_url)
        return subprocess.run(
            command.split(),
            cwd=self.project.root,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout


def measured(stages: int, rounds: int) -> dict[str, tuple[Cost, Cost]]:
    """The median costs of each command, after a change and again."""
    found: dict[str, list[tuple[Cost, Cost]]] = {command: [] for command in COMMANDS}
    with tempfile.TemporaryDirectory() as temporary:
        bench = Bench(Path(temporary), stages)
        try:
            for number in range(rounds):
                for command in COMMANDS:
                    bench.change(number)
                    found[command].append((bench.measure(command), bench.measure(command)))
        finally:
            bench.stop()
    return {command: (_median(runs, 0), _median(runs, 1)) for command, runs in found.items()}


def _median(runs: list[tuple[Cost, Cost]], which: int) -> Cost:
    costs = [pair[which] for pair in runs]
    return Cost(*(statistics.median(values) for values in zip(*costs, strict=True)))


def main(
    rounds: Annotated[int, typer.Option(help="How often each command runs.")] = 3,
    most: Annotated[int, typer.Option(help="Leave out projects of more stages.")] = 1000,
    output: Annotated[Path | None, typer.Option(help="Write the section there, too.")] = None,
) -> None:
    """Measure, and print the medians as a section in Markdown."""
    sizes = [size for size in (10, 100, 400, 1000) if size <= most]
    medians = {size: measured(size, rounds) for size in sizes}
    lines = [
        TITLE,
        "",
        f"{conditions(rounds)}; seconds of wall time, in brackets of CPU time, of a "
        "first run after a change of dvc.yaml / of a second one. The heads are numbers of stages.",
        "",
        f"| command | {' | '.join(map(str, sizes))} |",
        f"| --- | {'--- | ' * len(sizes)}",
    ]
    for command in COMMANDS:
        cells = [" / ".join(map(_cell, medians[size][command])) for size in sizes]
        lines.append(f"| `{' '.join(command.split()[:2])}` | {' | '.join(cells)} |")
    print("\n".join(lines))
    if output:
        put_section(output, TITLE, "\n".join(lines))


def _cell(cost: Cost) -> str:
    return f"{cost.wall:.2f} ({cost.cpu:.2f})"


if __name__ == "__main__":
    typer.run(main)
