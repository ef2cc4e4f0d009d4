"""What tests share: projects of their own in temporary folders, and a running store."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest
from xdist.scheduler import LoadFileScheduling

from dvc_bucket import Project
from dvc_bucket.store import seaweed
from dvc_bucket.store.server import Server
from tests.projects import make_project
from tests.stores.fixtures import (  # noqa: F401 (fixtures: pytest finds them by name here)
    authority,
    good_certificate,
    rclone,
    rclone_tls_endpoint,
    remote_store,
    seaweed_tls_endpoint,
    swift,
    swift_tls_endpoint,
)

#: Threads of OpenMP that wait for one another sleep. By default they spin, and where two tests run
#: at a time on two cores, that takes twice the processor time of the work itself.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

#: What a script starts in the background, or under nohup, ignores Ctrl-C, and so would all that
#: the tests start and then interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

#: With several tests at a time the files that take longest begin first, so that none is alone in
#: the end; one at a time the fast ones are first, as pyproject.toml lists them.
LONGEST = (
    *("test_main_job.py", "test_ways_in.py", "test_set_ups.py"),
    *("test_whole.py", "test_tutorial.py"),
    *("test_slurm_job.py", "test_toolkit_knows_no_example.py", "test_remote_life.py"),
    *("test_new_store.py", "test_causes.py", "test_runs.py"),
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # a worker of pytest-xdist
        ranks = {name: rank for rank, name in enumerate(LONGEST)}
        items.sort(key=lambda item: ranks.get(item.path.name, len(ranks)))


#: Folders whose files share what is dear to set up: one worker has all of each.
TOGETHER = ("doctor", "failures", "machines", "others", "reading", "sharing", "verify")

#: Files that read in the clone in which another has run the main job.
FOLLOWS = {
    f"tests/end_to_end/{name}": "tests/end_to_end/test_main_job.py"
    for name in ("test_ways_in.py", "test_pages_in_browser.py", "test_readme.py")
}

#: Each looks at all processes of the one user of the Slurm node.
FOLLOWS |= {
    f"tests/repro/{name}": "tests/end_to_end/test_slurm_job.py"
    for name in ("test_slurm.py", "test_slurm_groups.py")
}

#: They need one release of the template.
FOLLOWS |= {
    f"tests/template/test_{name}.py": "tests/template/test_new.py"
    for name in ("adopt", "golden", "own_data", "packages", "release")
}


class ByFileOrFolder(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """A worker has all tests of a file, or of a folder where that saves a set-up."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        folder = PurePosixPath(file).parent
        return str(folder) if folder.name in TOGETHER else FOLLOWS.get(file, file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadFileScheduling | None:
    return ByFileOrFolder(config, log) if config.getvalue("dist") == "loadfile" else None


def discard(project: Project) -> None:
    """End a project's store, whose data is thrown away: no need to wait for an orderly end."""
    if process := seaweed.find(project):
        leftovers = seaweed.sockets(process)
        process.kill()
        process.wait(10)
        seaweed.remove_sockets(leftovers)


@pytest.fixture(scope="session", autouse=True)
def _no_settings_in_the_environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("OS_", "AWS_"))]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose embedded store runs, for tests that leave the store as it is."""
    project = make_project(tmp_path_factory.mktemp("store") / "clone")
    Server(project).start()
    yield project
    discard(project)


@pytest.fixture
def new_project(tmp_path: Path) -> Iterator[Callable[[str], Project]]:
    """Makes projects below the test's folder; their stores are stopped at its end."""
    made: list[Project] = []

    def make(name: str = "clone") -> Project:
        made.append(make_project(tmp_path / name))
        return made[-1]

    yield make
    for project in made:
        discard(project)
        shutil.rmtree(project.root, ignore_errors=True)


@pytest.fixture
def project(new_project: Callable[[], Project]) -> Project:
    """A project as cloned; nothing runs."""
    return new_project()
