"""What the main job takes: `make reproduce` in a fresh clone, and again where nothing is to do.

Claims, on two cores, with the environment set up: at most 30 s from an empty store and no data to
results that are pushed; at most 1.2 s where everything is up to date. With `--setup`, the set-up
from warm caches: at most 8 s with uv, 35 s with pip.
"""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from measuring import conditions, put_section, spread
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


def cloned(root: Path) -> dict[str, str]:
    """Clone the last commit to `root`; the variables for its commands."""
    subprocess.run(["git", "clone", "--quiet", ROOT, root], check=True)
    return {name: os.environ[name] for name in os.environ if not name.startswith(FOREIGN)}


def reproduce_twice(root: Path) -> dict[str, Cost]:
    """What `make reproduce` costs in a new clone, and again."""
    environment = cloned(root)
    (root / ".venv").symlink_to(ROOT / ".venv")
    project = Project(root)
    create_env(project)
    set_endpoint(project, f"http://127.0.0.1:{ports.free_ports(1)[0]}")
    environment["PYTHONPATH"] = f"{root}/src:{root}/toolkit/src"  # not this repository's
    environment["DVC_SITE_CACHE_DIR"] = str(private_folder(project.dvc_site_cache))
    command = "make --old-file=.venv/.installed reproduce"  # what .venv is, it stays
    try:
        return {
            "from nothing": run(command, root, environment),
            "nothing to do": run(command, root, environment),
        }
    finally:
        Server(project).stop()


def set_up(root: Path, tool: str) -> Cost:
    """What `make setup` costs in a new clone, with uv or with pip alone."""
    python = Path(sys.base_prefix) / "bin" / "python3"
    without = "UV=" if tool == "pip" else ""
    return run(f"make PYTHON={shlex.quote(str(python))} {without} setup", root, cloned(root))


def main(
    rounds: Annotated[int, typer.Option(help="How often, each time in a new clone.")] = 3,
    setup: Annotated[
        bool, typer.Option("--setup", help="Set-up too: asks the package registry.")
    ] = False,
    output: Annotated[Path | None, typer.Option(help="Write the table there, too.")] = None,
) -> None:
    """Measure, and print the medians as a Markdown table."""
    costs: dict[str, list[Cost]] = {}
    for number in range(rounds + setup):
        with tempfile.TemporaryDirectory() as temporary:
            found = {
                f"set-up, {tool}": set_up(Path(temporary) / tool, tool)
                for tool in (("uv", "pip") if setup else ())
            }
            if number >= setup:  # before, the set-up filled the caches
                found |= reproduce_twice(Path(temporary) / "clone")
                for name, cost in found.items():
                    costs.setdefault(name, []).append(cost)
    rows = [f"| {name} | {spread([cost.wall for cost in of])} |" for name, of in costs.items()]
    head = (
        f"{conditions(rounds)}: `make reproduce` in a new clone with a store of its own, the "
        "environment set up; `make setup` in a new clone, with warm caches of the tool."
    )
    table = "\n".join([TITLE, "", head, "", "| what | wall, s |", "| --- | --- |", *rows])
    print(table)
    if output:
        put_section(output, TITLE, table)


if __name__ == "__main__":
    typer.run(main)
