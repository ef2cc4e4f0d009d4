"""What several tests of the toolkit share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bucket.git_tools import Repo, make_repo
from tests.doctor.weed import Weed


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A git repository with a project and one commit, in which nothing is amiss."""
    made = make_repo(tmp_path / "clone")
    made.git("add", ".")
    made.commit()
    return made


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder in which nobody has set up anything."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture(scope="package")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weed]:
    """A store that knows buckets by the name of the host, too."""
    with Weed(tmp_path_factory.mktemp("virtual") / "weed") as running:
        yield running
