"""A small project with a stage, new for each test, as the current folder."""

import pytest

from tests.stages.stage_tools import SmallProject, make_small


@pytest.fixture
def small(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> SmallProject:
    """The project, as the current folder."""
    project = make_small(tmp_path_factory.mktemp("small") / "clone")
    monkeypatch.chdir(project.root)
    return project
