"""A new skeleton with the tools of this environment: lint, tests, the main job, plain DVC.

`make -C toolkit golden` does the same with packages of its own.
"""

from collections.abc import Iterator

import pytest

from dvc_bucket import Project
from tests.clones import Clone
from tests.conftest import discard
from tests.end_to_end.clones import REPOSITORY, environment
from tests.template.projects import IDENTITY, at_work, make_new


@pytest.fixture(scope="module")
def project(released: Clone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    root = make_new(released, tmp_path_factory.mktemp("made") / "my project", name="mine")
    (root / ".venv").symlink_to((REPOSITORY / ".venv").resolve())
    variables = environment(root) | IDENTITY
    yield Clone(root, variables | {"PYTHONPATH": f"{root / 'src'}:{REPOSITORY / 'toolkit/src'}"})
    discard(Project(root))


def test_a_new_skeleton_is_green_at_once(project: Clone) -> None:
    at_work(project)
