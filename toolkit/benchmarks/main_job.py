"""What the main job takes: `make reproduce` in a fresh clone, and again where nothing is to do.

Claims, on two cores, with the environment set up: at most 30 s from an empty store and no data to
results that are pushed; at most 1.2 s where everything is up to date.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from measuring import put_section
from stages import Cost, run

from dvc_bucket import Project
from dvc_bucket.base import ports
from dvc_bucket.base.files import private_folder
from dvc_bucket.connection.env_file import create_env, set_endpoint
from dvc_bucket.store.server import Server

TITLE = "## The main job"

ROOT = Path(__file__).parents[2]

#: What the clone is not to know of this shell.
FOREIGN = ("OS_", "AWS_", "DVC_", "GIT_", "MAKE", "MFLAGS")


def reproduce_twice(root: Path) -> tuple[Cost, Cost]:
    """Clone the last commit to `root`, and run `make reproduce` there, and again."""
    subprocess.run(["git", "clone", "--quiet", ROOT, root], check=True)
    (root / ".venv").symlink_to(ROOT / ".venv")
    project = Project(root)
    create_env(project)
    set_endpoint(project, f"http://127.0.0.1:{ports.free_ports(1)[0]}")
    environment = {name: os.environ[name] for name in os.environ if not name.startswith(FOREIGN)}
    environment["PYTHONPATH"] = f"{root}/src:{root}/toolkit/src"  # not this repository's
    environment["DVC_SITE_CACHE_DIR"] = str(private_folder(project.dvc_site_cache))
    command = "make --old-file=.venv/.installed reproduce"  # what .venv is, it stays
    try:
        return run(command, root, environment), run(command, root, environment)
    finally:
        Server(project).stop()


def main(
    rounds: Annotated[int, typer.Option(help="How often, each time in a new clone.")] = 3,
    output: Annotated[Path | None, typer.Option(help="Write the table there, too.")] = None,
) -> None:
    """Measure, and print the medians as a Markdown table."""
    runs = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as temporary:
            runs.append(reproduce_twice(Path(temporary) / "clone"))
    rows = []
    for name, costs in zip(("from nothing", "nothing to do"), zip(*runs, strict=True), strict=True):
        rows.append(f"| {name} | {statistics.median(cost.wall for cost in costs):.1f} |")
    head = (
        f"`make -C toolkit bench`, medians of {rounds} rounds on {os.cpu_count()} cores, "
        f"Python {sys.version.split()[0]}: `make reproduce` in a new clone with a store of its "
        "own, the environment set up."
    )
    table = "\n".join([TITLE, "", head, "", "| data | wall, s |", "| --- | --- |", *rows])
    print(table)
    if output:
        put_section(output, TITLE, table)


if __name__ == "__main__":
    typer.run(main)
