"""What tests share: projects of their own in temporary folders, and a running store."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bucket import Project, ports, seaweed
from bucket.server import Server
from bucket.settings import NAMES

REPOSITORY = Path(__file__).parents[1]
DEFAULT_ENDPOINT = "http://127.0.0.1:8333"


def make_project(root: Path) -> Project:
    """A project as cloned, but for a port that is free."""
    endpoint = f"http://127.0.0.1:{ports.free_ports(1)[0]}"
    (root / ".dvc").mkdir(parents=True)
    for name in (".dvc/config", ".env.example"):
        text = (REPOSITORY / name).read_text()
        assert DEFAULT_ENDPOINT in text
        (root / name).write_text(text.replace(DEFAULT_ENDPOINT, endpoint))
    return Project(root)


@pytest.fixture(scope="session", autouse=True)
def _no_settings_in_the_environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in NAMES:
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose embedded store runs, for tests that leave the store as it is."""
    project = make_project(tmp_path_factory.mktemp("store") / "clone")
    Server(project).start()
    yield project
    Server(project).stop()


@pytest.fixture
def new_project(tmp_path: Path) -> Iterator[Callable[[str], Project]]:
    """Makes projects below the test's folder; their stores are stopped at its end."""
    made: list[Project] = []

    def make(name: str = "clone") -> Project:
        made.append(make_project(tmp_path / name))
        return made[-1]

    yield make
    for project in made:
        if process := seaweed.find(project):
            leftovers = seaweed.sockets(process)
            process.kill()  # its data is thrown away: no need to wait for an orderly end
            process.wait(10)
            seaweed.remove_sockets(leftovers)
        shutil.rmtree(project.root, ignore_errors=True)


@pytest.fixture
def project(new_project: Callable[[], Project]) -> Project:
    """A project as cloned; nothing runs."""
    return new_project()
