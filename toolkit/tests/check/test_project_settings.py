"""What `[tool.dvc-bucket]` of the commit says, the check goes by."""

from pathlib import Path

import pytest

from tests.check.small import Stages, make, script, stage

TABLE = "[tool.dvc-bucket]\n"
READS = "write('reads.txt', read('vendor/tool/table.txt') + read('vendored.txt'))"


@pytest.fixture
def project(tmp_path: Path) -> Stages:
    """A stage that reads two files and declares neither."""
    files = {"src/reads.py": script(READS), "vendor/tool/table.txt": "1\n", "vendored.txt": "2\n"}
    return make(tmp_path / "project", files, {"reads": stage("reads")})


def undeclared(project: Stages, table: str) -> list[str]:
    project.repo.write("pyproject.toml", table)
    project.commit()
    found = project.report(causes=False)["findings"]
    return [one["path"] for one in found if one["kind"] == "undeclared file"]


def test_folders_of_packages_need_not_be_declared(project: Stages) -> None:
    assert undeclared(project, "") == ["vendor/tool/table.txt", "vendored.txt"]
    assert undeclared(project, TABLE + 'packages = ["vendor"]\n') == ["vendored.txt"]


def test_the_lock_file_is_the_one_that_the_table_names(project: Stages) -> None:
    project.repo.write("pyproject.toml", TABLE + 'lock-file = "locks/all.txt"\n')
    project.commit()
    done = project.check()
    assert done.returncode == 1
    assert "The commit has no locks/all.txt, so its packages are unknown." in done.stderr


def test_a_table_that_is_wrong_is_said(project: Stages) -> None:
    project.repo.write("pyproject.toml", TABLE + 'lock = "locks/all.txt"\n')
    project.commit()
    done = project.check()
    assert done.returncode == 1
    assert "pyproject.toml, [tool.dvc-bucket]: unknown key lock." in done.stderr
    assert "Traceback" not in done.stderr
