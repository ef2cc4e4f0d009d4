"""The project is found from anywhere inside it, and from nowhere else."""

from pathlib import Path

import pytest

from dvc_bucket import Project
from dvc_bucket.base.errors import ProjectError


def test_the_project_is_found_from_a_folder_below(project: Project) -> None:
    below = project.root / "data" / "raw"
    below.mkdir(parents=True)
    assert Project.find(below) == Project.find(project.root) == project


def test_outside_a_project_the_error_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=str(tmp_path)):
        Project.find(tmp_path)
