"""What each stage of the pipeline costs: wall time, CPU time, peak memory.

Claim: all stages together take at most 30 s on two cores, and each at most 600 MB.
Runs the commands of dvc.yaml in a copy of the project, several rounds, and prints medians.
The embedded store has to be up and to hold the raw data: `make -C toolkit bench` sees to it.
"""

import ctypes
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, NamedTuple

import psutil
import typer
from measuring import conditions, put_section
from ruamel.yaml import YAML

from dvc_bucket.base.kernels import pins

#: Where the table goes in the file of results.
TITLE = "## What each stage costs"

ROOT = Path(__file__).parents[2]

#: Between two looks at a stage's processes; and at least so many times what the look took, so that
#: looking does not take from the processors what is measured.
SAMPLE_SECONDS = 0.05
LEAVE = 15


class Cost(NamedTuple):
    """What one run of a stage took."""

    wall: float
    cpu: float
    peak_mb: float


def members(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Processes and all their children."""
    found = [*processes]
    for process in processes:
        with suppress(psutil.Error):  # it has just ended
            found += process.children(recursive=True)
    return found


def memory(processes: Sequence[psutil.Process]) -> int:
    """Bytes of processes and all their children; a page that several share counts once (PSS)."""
    total = 0
    for member in members(processes):
        with suppress(psutil.Error):
            total += member.memory_full_info().pss
    return total


def cpu_seconds(processes: Sequence[psutil.Process]) -> float:
    """CPU time so far of processes that run, all their children, and what of theirs has ended."""
    return float(sum(sum(member.cpu_times()[:4]) for member in members(processes)))


def adopt_orphans() -> None:
    """Have what outlives its parent become ours, and count: the server of a stage's pool does."""
    set_child_subreaper = 36  # of <linux/prctl.h>
    if ctypes.CDLL(None).prctl(set_child_subreaper, 1, 0, 0, 0):
        raise OSError("prctl(PR_SET_CHILD_SUBREAPER) failed")


def run(
    command: str, folder: Path, environment: dict[str, str], helpers: Sequence[int] = ()
) -> Cost:
    """Run a stage's command in `folder` and watch it.

    Args:
        command: of a shell.
        folder: to run it in.
        environment: to run it with.
        helpers: pids of processes that work for it; what they and their children take counts, too.
    """
    workers, others = [psutil.Process(pid) for pid in helpers], psutil.Process().children()
    helped, before = cpu_seconds(workers), os.times()
    start = time.perf_counter()
    with (
        subprocess.Popen(
            shlex.split(command), cwd=folder, env=environment, stdout=subprocess.DEVNULL
        ) as child,
        peak_memory([psutil.Process(child.pid), *workers]) as peak,
    ):
        child.wait()
        wall = time.perf_counter() - start
    if child.returncode:
        sys.exit(f"failed: {command}")
    psutil.wait_procs(set(psutil.Process().children()) - set(others), timeout=1)
    after = os.times()
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    return Cost(wall, cpu + cpu_seconds(workers) - helped, max(peak) / 1e6)


@contextmanager
def peak_memory(processes: Sequence[psutil.Process]) -> Iterator[list[int]]:
    """Look at the memory of processes until the block ends; what was seen."""
    ended, seen = threading.Event(), [0]

    def watch() -> None:
        gap = SAMPLE_SECONDS
        while not ended.wait(gap):
            begun = time.perf_counter()
            seen.append(memory(processes))
            gap = max(SAMPLE_SECONDS, LEAVE * (time.perf_counter() - begun))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def main(
    rounds: Annotated[int, typer.Option(help="How often each stage runs.")] = 3,
    output: Annotated[Path | None, typer.Option(help="Write the table there, too.")] = None,
) -> None:
    """Run every stage ROUNDS times and print the medians as a Markdown table."""
    adopt_orphans()
    stages = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    costs: dict[str, list[Cost]] = {name: [] for name in stages}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in ("src", "toolkit/src", ".dvc/config", ".env", "params.yaml"):
            (folder / name).parent.mkdir(exist_ok=True)
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, folder / name)
        # With pinned kernels, as `bucket reproduce` starts them.
        environment = os.environ | pins(os.environ)
        environment |= {"PATH": tools, "PYTHONPATH": f"{folder}/src:{folder}/toolkit/src"}
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
            f"{conditions(rounds)}.",
            "",
            "| stage | wall, s | CPU, s | peak memory, MB |",
            "| --- | --- | --- | --- |",
            *rows,
        ]
    )


if __name__ == "__main__":
    typer.run(main)
