"""What many stages cost, and several at the same time: `bucket`, `dvc`, `make` and `snakemake`.

Claims, on two cores: 1,000 trivial stages take `bucket` at most 40 s, and eight stages that sleep
two seconds, two at a time, at most 1.2 times what the fastest takes. For trivial stages `make` is
the fastest by far: it looks at the times of files, where the others hash inputs and results, and
record them.

Every round runs every tool from nothing, one after the other in turning order. Plain `dvc` takes
time that grows with the square of the number of stages: beyond 100 it runs only if it is asked to.
`bucket` is the process that `bucket repro --jobs` becomes, without the settings of a connection.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from measuring import conditions, put_section, spread

from dvc_bucket.stages.commands import Where, program

TITLE = "## Many stages"

#: More stages than plain `dvc` is asked to run.
MANY = 100


class Case(NamedTuple):
    """Independent stages, and how many of them run at once."""

    stages: int
    seconds: float
    jobs: int

    @property
    def name(self) -> str:
        """As the table has it."""
        what = f"sleep {self.seconds:g}" if self.seconds else "trivial"
        return f"{self.stages:,} x {what}, {self.jobs} at a time"


CASES = (
    Case(10, 0, 2),
    Case(100, 0, 2),
    Case(400, 0, 2),
    Case(1000, 0, 2),
    Case(8, 2, 2),
    Case(8, 2, 8),
)

#: What each tool reads; its command follows. `NUMBERS`, `WORK` and `JOBS` are put in.
FILES = {
    "dvc.yaml": "stages:\n  s:\n    foreach: [NUMBERS]\n    do:\n"
    "      cmd: WORKecho ${item} > out/${item}\n"
    "      deps: [in]\n      outs: ['out/${item}']\n",
    "Makefile": "NUMBERS_ := $(shell seq STAGES)\nall: $(NUMBERS_:%=out/%)\n"
    "out/%: in\n\t@WORKecho $* > $@\n",
    "Snakefile": "rule all:\n    input: expand('out/{i}', i=range(1, STAGES + 1))\n"
    "rule s:\n    input: 'in'\n    output: 'out/{i}'\n"
    "    shell: 'WORKecho {wildcards.i} > {output}'\n",
}

#: The command of each tool, by the number of jobs.
TOOLS: Mapping[str, Callable[[int], Sequence[str]]] = {
    "bucket": lambda jobs: (sys.executable, "-m", *program(Where(jobs)), "repro"),
    "dvc": lambda _: ("dvc", "repro"),
    "make": lambda jobs: ("make", "-j", str(jobs)),
    "snakemake": lambda jobs: ("snakemake", "--cores", str(jobs), "--quiet", "all"),
}


def seconds(tool: str, case: Case) -> float:
    """What a tool takes for all stages of a case, from nothing."""
    numbers = ", ".join(map(str, range(1, case.stages + 1)))
    work = f"sleep {case.seconds:g}; " if case.seconds else ""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        (root / "out").mkdir()
        (root / "in").write_text("in\n", encoding="utf-8")
        for name, text in FILES.items():
            text = text.replace("STAGES", str(case.stages)).replace("WORK", work)
            (root / name).write_text(text.replace("[NUMBERS]", f"[{numbers}]"), encoding="utf-8")
        variables = os.environ | {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(root / "site")}
        subprocess.run(["git", "init", "-q"], cwd=root, check=True)
        subprocess.run(["dvc", "init", "-q"], cwd=root, env=variables, check=True)
        command = TOOLS[tool](case.jobs)
        start = time.perf_counter()
        done = subprocess.run(command, cwd=root, env=variables, capture_output=True, check=False)
        took = time.perf_counter() - start
        written = len([path for path in (root / "out").iterdir() if path.name.isdigit()])
        if done.returncode or written != case.stages:
            sys.exit(f"{tool}, {case.name}: {done.stdout.decode()}{done.stderr.decode()}")
    return took


def measured(case: Case, rounds: int, tools: Sequence[str]) -> dict[str, list[float]]:
    """The times of each tool."""
    found: dict[str, list[float]] = {tool: [] for tool in tools}
    for number in range(rounds):
        turn = number % len(tools)
        for tool in (*tools[turn:], *tools[:turn]):
            found[tool].append(seconds(tool, case))
    return found


def row(case: Case, found: dict[str, list[float]]) -> str:
    """A case as a row of the table."""
    fastest = min(found.values(), key=statistics.median)
    ratio = spread([own / other for own, other in zip(found["bucket"], fastest, strict=True)], 2)
    cells = [spread(found[tool]) if tool in found else "-" for tool in TOOLS]
    return f"| {case.name} | {' | '.join(cells)} | {ratio} |"


def main(
    rounds: Annotated[int, typer.Option(help="How often each tool runs.")] = 3,
    most: Annotated[int, typer.Option(help="Leave out cases of more stages.")] = 1000,
    whole: Annotated[bool, typer.Option("--whole", help="Plain dvc at 1,000 stages, too.")] = False,
    tools: Annotated[str, typer.Option(help="Some of them, with commas.")] = ",".join(TOOLS),
    output: Annotated[Path | None, typer.Option(help="Write the section there, too.")] = None,
) -> None:
    """Measure, and print the medians as a section in Markdown."""
    lines = [
        TITLE,
        "",
        f"{conditions(rounds)}; seconds, from nothing. `dvc` runs one stage at a time.",
        "",
        f"| stages | {' | '.join(TOOLS)} | bucket / fastest |",
        f"| --- | {'--- | ' * len(TOOLS)}--- |",
    ]
    for case in CASES:
        if case.stages <= most:
            chosen = [
                tool for tool in tools.split(",") if tool != "dvc" or case.stages <= MANY or whole
            ]
            lines.append(row(case, measured(case, rounds, chosen)))
            print(lines[-1], flush=True)
    if output:
        put_section(output, TITLE, "\n".join(lines))


if __name__ == "__main__":
    typer.run(main)
