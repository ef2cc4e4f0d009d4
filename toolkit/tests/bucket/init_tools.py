"""What the tests of `bucket init` share."""

import subprocess
from pathlib import Path

from dvc_bucket import Project
from dvc_bucket.connection import named_files as places
from dvc_bucket.connection.named_files import Names
from tests.conftest import REPOSITORY

#: As this repository is cloned.
TEMPLATE = Names(
    project="flight-delays",
    endpoint="http://127.0.0.1:8333",
    bucket="research-data",
    prefix="flight-delays",
    region="us-east-1",
)

#: Nobody is asked over the network, as nobody listens there.
NEW = Names(
    project="tides",
    endpoint="https://127.0.0.1:1",
    bucket="lab-data",
    prefix="group/tides",
    region="eu-north-1",
)


#: Pages that belong to whoever takes the template, so that the repository's may say anything.
PAGES = {
    "README.md": "# flight-delays\n\nA project, flight-delays.\n",
    "CITATION.cff": 'title: "flight-delays: a title"\nauthors:\n'
    "  - name: The flight-delays contributors\n",
    "LICENSE": "Copyright (c) 2026 The flight-delays contributors\n",
}


def template_text(place: places.Place) -> str:
    """The text of a place as this repository is cloned, also where `bucket init` has run in it."""
    if place.file in PAGES:
        return PAGES[place.file]
    text = (REPOSITORY / place.file).read_text()
    return place.write(text, TEMPLATE, places.current(Project(REPOSITORY)))


def copy_places(root: Path, names: Names = TEMPLATE) -> Project:
    """A project with every place that `bucket init` writes, which says `names`."""
    for place in places.PLACES:
        (root / place.file).parent.mkdir(parents=True, exist_ok=True)
        (root / place.file).write_text(place.write(template_text(place), names, TEMPLATE))
    return Project(root)


def run_git(root: Path, *arguments: str) -> str:
    """Output of a git command."""
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout
