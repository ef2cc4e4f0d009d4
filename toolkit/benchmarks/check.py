"""What `bucket check` takes for many trivial stages, beside `bucket repro` of the same.

Claim: the check, which also clones, traces and compares, takes at most 1.5 times the run.

Every round runs the stages from nothing, commits, and checks the commit with the installed
packages. CPU time is that of all processes. `bucket repro` is the process that the command becomes,
without the settings of a connection.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from measuring import conditions, put_section, spread
from repro import FILES

from dvc_bucket.stages import commands

TITLE = "## Checking many stages"

#: Numbers of stages, and how many of them run at once.
CASES = "100x1,400x1,100x2"

CHECK = ("bucket", "check", "--here", "--jobs")

WORDS = ("-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "-qm", "results")


class Cost(NamedTuple):
    """What a command took, in seconds."""

    wall: float
    cpu: float


def cost(command: Sequence[str], root: Path, variables: dict[str, str]) -> Cost:
    """What a command takes; it has to succeed."""
    before, start = os.times(), time.perf_counter()
    done = subprocess.run(command, cwd=root, env=variables, capture_output=True, check=False)
    wall, after = time.perf_counter() - start, os.times()
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stdout.decode()}{done.stderr.decode()}")
    cpu = after.children_user + after.children_system
    return Cost(wall, cpu - before.children_user - before.children_system)


def measured(stages: int, jobs: int) -> dict[str, Cost]:
    """What the run and the check take once."""
    numbers = ", ".join(map(str, range(1, stages + 1)))
    repro = [sys.executable, "-m", *commands.program(commands.Where(jobs)), "repro"]
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        (root / "out").mkdir()
        (root / "in").write_text("in\n", encoding="utf-8")
        text = FILES["dvc.yaml"].replace("NUMBERS", numbers).replace("WORK", "")
        (root / "dvc.yaml").write_text(text, encoding="utf-8")
        site = root / "site"
        site.mkdir(mode=0o700)
        variables = os.environ | {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(site)}
        subprocess.run(["git", "init", "-q"], cwd=root, check=True)
        subprocess.run(["dvc", "init", "-q"], cwd=root, env=variables, check=True)
        (root / ".gitignore").write_text("/site\n", encoding="utf-8")
        found = {"repro": cost(repro, root, variables)}
        subprocess.run(["git", "add", "--all"], cwd=root, check=True)
        subprocess.run(["git", *WORDS], cwd=root, check=True)
        return found | {"check": cost([*CHECK, str(jobs)], root, variables)}


def row(stages: int, jobs: int, rounds: int) -> str:
    """The medians as a row of the table."""
    runs = [measured(stages, jobs) for _ in range(rounds)]
    cells = [
        spread(values)
        for name in ("repro", "check")
        for values in zip(*(run[name] for run in runs), strict=True)
    ]
    ratios = ([run["check"][kind] / run["repro"][kind] for run in runs] for kind in range(2))
    cells += [spread(values, 2) for values in ratios]
    return f"| {stages}, {jobs} at a time | {' | '.join(cells)} |"


def main(
    rounds: Annotated[int, typer.Option(help="How often each is run.")] = 3,
    cases: Annotated[str, typer.Option(help="Stages x jobs, with commas.")] = CASES,
    output: Annotated[Path | None, typer.Option(help="Write the section there, too.")] = None,
) -> None:
    """Measure, and print the medians as a section in Markdown."""
    columns = ("repro wall", "CPU", "check wall", "CPU", "wall, check / repro", "CPU")
    lines = [
        TITLE,
        "",
        f"{conditions(rounds)}; seconds; packages as installed (`--here`).",
        "",
        f"| trivial stages | {' | '.join(columns)} |",
        f"| --- | {'--- | ' * len(columns)}".rstrip(),
    ]
    for case in cases.split(","):
        stages, jobs = map(int, case.split("x"))
        lines.append(row(stages, jobs, rounds))
        print(lines[-1], flush=True)
    if output:
        put_section(output, TITLE, "\n".join(lines))


if __name__ == "__main__":
    typer.run(main)
