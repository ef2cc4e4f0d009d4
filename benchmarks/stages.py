"""What each stage of the pipeline costs: wall time, CPU time, peak memory.

Claim: all stages together take at most 60 s on two cores, and each at most 600 MB.
Runs the commands of dvc.yaml in a copy of the project, several rounds, and prints medians.
The embedded store has to be up and to hold the raw data: `make bench` sees to it.
"""

import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import psutil
import typer
from measuring import put_section
from ruamel.yaml import YAML

from bucket.kernels import pins

#: Where the table goes in the file of results.
TITLE = "## What each stage costs"

ROOT = Path(__file__).parents[1]

#: Between two looks at the memory of a stage's processes.
SAMPLE_SECONDS = 0.05


class Cost(NamedTuple):
    """What one run of a stage took."""

    wall: float
    cpu: float
    peak_mb: float


def memory(process: psutil.Process) -> int:
    """Bytes of a process and its children; a page that several share counts once in all (PSS)."""
    total = 0
    for member in [process, *process.children(recursive=True)]:
        try:
            total += member.memory_full_info().pss
        except psutil.Error:  # it has just ended
            continue
    return total


def cpu_seconds(process: psutil.Process) -> float:
    """CPU time so far of a process, its children, and those of theirs that have ended."""
    total = 0.0
    for member in [process, *process.children(recursive=True)]:
        try:
            total += sum(member.cpu_times()[:4])  # user, system, and both of ended children
        except psutil.Error:
            continue
    return total


def run(
    command: str, folder: Path, environment: dict[str, str], helpers: Sequence[int] = ()
) -> Cost:
    """Run a stage's command in `folder` and watch it.

    CPU time is what was last seen of all processes, as a server of a stage's pool, which outlives
    it for a moment, is missing in what the system adds up for children that have ended.

    Args:
        command: of a shell.
        folder: to run it in.
        environment: to run it with.
        helpers: pids of processes that work for it; what they and their children take counts, too.
    """
    workers = [psutil.Process(pid) for pid in helpers]
    start, peak, cpu = time.perf_counter(), 0, 0.0
    before, helped = os.times(), sum(map(cpu_seconds, workers))
    with subprocess.Popen(
        shlex.split(command), cwd=folder, env=environment, stdout=subprocess.DEVNULL
    ) as child:
        everybody = [psutil.Process(child.pid), *workers]
        while child.poll() is None:
            try:
                peak = max(peak, sum(map(memory, everybody)))
                cpu = max(cpu, sum(map(cpu_seconds, everybody)) - helped)
            except psutil.Error:
                break
            time.sleep(SAMPLE_SECONDS)
    wall = time.perf_counter() - start
    if child.returncode:
        sys.exit(f"failed: {command}")
    after = os.times()
    own = after.children_user + after.children_system
    own -= before.children_user + before.children_system
    own += sum(map(cpu_seconds, workers)) - helped
    return Cost(wall, max(cpu, own), peak / 1e6)


def main(
    rounds: Annotated[int, typer.Option(help="How often each stage runs.")] = 3,
    output: Annotated[Path | None, typer.Option(help="Write the table there, too.")] = None,
) -> None:
    """Run every stage ROUNDS times and print the medians as a Markdown table."""
    stages = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    costs: dict[str, list[Cost]] = {name: [] for name in stages}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in ("src", ".dvc/config", ".env", "params.yaml"):
            (folder / name).parent.mkdir(exist_ok=True)
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, folder / name)
        # With pinned kernels, as `bucket reproduce` starts them.
        environment = os.environ | pins(os.environ)
        environment |= {"PATH": tools, "PYTHONPATH": str(folder / "src")}
        for _ in range(rounds):
            for name, stage in stages.items():
                costs[name].append(run(stage["cmd"], folder, environment))
    table = render(costs, rounds)
    print(table)
    if output:
        put_section(output, TITLE, table)


def render(costs: dict[str, list[Cost]], rounds: int) -> str:
    """The medians as a Markdown table, with the command that made it."""
    medians = {
        name: Cost(*(statistics.median(values) for values in zip(*runs, strict=True)))
        for name, runs in costs.items()
    }
    total = Cost(
        sum(cost.wall for cost in medians.values()),
        sum(cost.cpu for cost in medians.values()),
        max(cost.peak_mb for cost in medians.values()),
    )
    rows = [
        f"| {name} | {cost.wall:.1f} | {cost.cpu:.1f} | {cost.peak_mb:.0f} |"
        for name, cost in (medians | {"all (memory: the largest)": total}).items()
    ]
    return "\n".join(
        [
            TITLE,
            "",
            f"`make bench`, medians of {rounds} rounds on {os.cpu_count()} cores, "
            f"Python {sys.version.split()[0]}.",
            "",
            "| stage | wall, s | CPU, s | peak memory, MB |",
            "| --- | --- | --- | --- |",
            *rows,
        ]
    )


if __name__ == "__main__":
    typer.run(main)
