"""What the tests of `bucket init` share."""

import subprocess
from pathlib import Path

from dvc_bucket import Project
from dvc_bucket.connection import named_files as places
from dvc_bucket.connection.named_files import Names
from tests.projects import FIXTURE, NAMES, copy_files

#: The places of the fixture project.
PLACES = places.all_of(Project(FIXTURE))

#: Nobody is asked over the network, as nobody listens there.
NEW = Names(
    project="tides",
    endpoint="https://127.0.0.1:1",
    bucket="lab-data",
    prefix="group/tides",
    region="eu-north-1",
)


def copy_places(root: Path, names: Names = NAMES) -> Project:
    """A project with every file that `bucket init` writes or reads, which says `names`."""
    project = copy_files(root, [".env.example", *(place.file for place in PLACES)])
    write(project, names)
    return project


def write(project: Project, names: Names) -> None:
    """Have every place of a project say these names."""
    for path, (_, after) in places.rewritten(project, names).items():
        path.write_text(after)


def run_git(root: Path, *arguments: str) -> str:
    """Output of a git command."""
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout
