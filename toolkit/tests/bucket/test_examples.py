"""Examples of `--help`, each run as it stands in one project that has what they name."""

from collections.abc import Iterator

import pytest

from dvc_bucket.base import ports
from dvc_bucket.connection.dvc_config import with_options
from dvc_bucket.connection.env_file import create_env
from dvc_bucket.store.server import Server
from tests.bucket.test_help import examples
from tests.conftest import discard
from tests.new.growing import ON_PATH, Growing, make

#: Commands whose examples run here, in this order: those that are quick and need this machine only.
#: The examples of all others are read only (test_help.py).
RUN = ("cp", "ls", "cat", "du", "pack")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Growing]:
    """A project in the bucket lab-data, with data, a tag, and objects that DVC did not write."""
    project = make(tmp_path_factory.mktemp("examples") / "lab")
    endpoint = f"http://127.0.0.1:{ports.free_ports(1)[0]}"
    config = project.project.dvc_config
    options = {"endpointurl": endpoint, "url": "s3://lab-data/my-project"}
    config.write_text(with_options(config.read_text(), options))
    create_env(project.project)
    for path in ("data/raw/table.csv", "data/processed/features.csv"):
        project.write(path, "carrier,late\nAA,1\n")
    for name in ("one", "two"):
        project.write(f"data/raw/images/{name}.png", name)
    project.write("reports/report.html", "<p>Report</p>")
    project.write("notes.txt", "A note\n")
    Server(project.project).start()
    project.bucket("add", "-q", "data/raw/table.csv", "data/raw/images", "data/processed")
    project.git("add", "--all")
    project.commit("--quiet", "--no-verify")
    project.git("branch", "--move", "main")
    project.git("tag", "v1.0")
    project.bucket("push", "-q")
    project.bucket("cp", "notes.txt", "s3://lab-data/")
    project.bucket("cp", "data/raw/images/one.png", "s3://lab-data/images/")
    yield project
    discard(project.project)


def test_the_examples_run(lab: Growing) -> None:
    lines = examples()
    ran = [line for word in RUN for command, line in lines if command == word]
    assert len(ran) >= 12
    env = ON_PATH | {"SCRATCH": str(lab.root.parent)}
    for line in ran:
        lab.run("bash", "-e", "-o", "pipefail", "-c", line, env=env)
