"""`make add`, `make lock` and `make upgrade` of a project, with real uv."""

import importlib.metadata
import shutil
from pathlib import Path

import pytest

from dvc_bucket import Project
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.jobs.packages import add_package
from tests.clones import TOOLS
from tests.template.packages import SmallProject, small_project
from tests.template.projects import render

LOCKS = ("requirements.lock", "requirements-dev.lock")


@pytest.fixture(scope="module")
def makefile(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(template, tmp_path_factory.mktemp("rendered") / "mine") / "Makefile"


@pytest.fixture
def project(makefile: Path, tmp_path: Path) -> SmallProject:
    """A locked project whose registry has newer versions since."""
    project = small_project(tmp_path, makefile)
    project.clone.make("lock")
    for name in ("first", "second", "tool"):
        project.publish(name, "2.0")
    return project


def texts(project: SmallProject) -> list[str]:
    return [(project.root / name).read_text() for name in ("pyproject.toml", *LOCKS)]


def test_the_larger_file_has_the_pins_of_the_other_and_both_have_the_wheel(
    project: SmallProject,
) -> None:
    assert project.pins() == {"dvc-bucket": "1.0.0", "first": "1.0"}
    assert project.pins("requirements-dev.lock") == project.pins() | {"tool": "1.0"}
    for lock in LOCKS:
        assert (project.root / lock).read_text().count("--find-links vendor\n") == 1


def test_lock_keeps_every_pin_and_upgrade_none(project: SmallProject) -> None:
    before = texts(project)
    project.clone.make("lock")
    assert texts(project) == before
    project.clone.make("upgrade")
    newest = {"dvc-bucket": "1.0.0", "first": "2.0"}
    assert project.pins() == newest
    assert project.pins("requirements-dev.lock") == newest | {"tool": "2.0"}


def test_add_writes_one_package_and_keeps_every_other_pin(project: SmallProject) -> None:
    project.clone.make("add", "PACKAGE=second>=1.5")
    assert project.pins() == {"dvc-bucket": "1.0.0", "first": "1.0", "second": "2.0"}
    text = (project.root / "pyproject.toml").read_text()
    assert '    "first>=1.0",             # why\n    "second>=1.5",\n]\n' in text
    before = texts(project)
    project.clone.make("add", "PACKAGE=second>=1.5")
    assert texts(project) == before


def test_the_versions_that_stages_depend_on_are_written_with_the_lock_file(
    project: SmallProject,
) -> None:
    flow = "stages:\n  one:\n    cmd: ls\n    params: [{packages.yaml: [first]}]\n"
    (project.root / "dvc.yaml").write_text(flow)
    project.clone.make("lock")
    assert (project.root / "packages.yaml").read_text().endswith('\nfirst: "1.0"\n')
    project.clone.make("upgrade")
    assert (project.root / "packages.yaml").read_text().endswith('\nfirst: "2.0"\n')


def test_setup_by_its_name_begins_anew_where_another_version_is_installed(
    project: SmallProject,
) -> None:
    installed = f"tomlkit=={importlib.metadata.version('tomlkit')}\n"
    (project.root / "packages.yaml").write_text('tomlkit: "1.0"\n')
    (project.root / ".venv/bin").mkdir()
    (project.root / ".venv/bin/bucket").symlink_to(TOOLS / "bucket")
    for pins, begins in ((installed, False), ("tomlkit==1.0\n", True)):
        (project.root / "requirements.lock").write_text(pins)
        (project.root / "requirements-dev.lock").write_text("")
        (project.root / ".venv/.packages").write_text(pins)  # as if both had been installed
        (project.root / ".venv/.installed").touch()
        for goal in ("setup", "doctor"):
            said = project.clone.run("make", "--dry-run", goal).stdout
            assert ("Setting up .venv" in said) is (begins and goal == "setup"), (pins, goal)


@pytest.mark.parametrize(
    ("package", "said"),
    [
        ("unheard-of", "unheard-of"),
        ("second>=9", "second"),
        ("no package", "is not a package name"),
        ("", "is not a package name"),
        ("second @ https://example.org/second.whl", "is an address"),
        ("first>=2.0", "already has 'first>=1.0'"),
    ],
)
def test_a_package_that_cannot_be_added_changes_nothing(
    project: SmallProject, package: str, said: str
) -> None:
    before = texts(project)
    words = ["make", "-o", ".venv/.installed", "add", f"PACKAGE={package}"]
    done = project.clone.run(*words, check=False)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert texts(project) == before
    assert not list(project.root.glob("*.new"))


def test_the_published_toolkit_is_one_line_away(project: SmallProject) -> None:
    sha256 = project.publish("dvc-bucket", "3.0.0", "first>=1.0")
    shutil.rmtree(project.root / "vendor")  # git rm -r vendor && make lock
    project.clone.make("lock")
    assert project.pins() == {"dvc-bucket": "3.0.0", "first": "1.0"}
    text = (project.root / "requirements.lock").read_text()
    assert "--find-links" not in text
    assert f"sha256:{sha256}" in text


def test_the_registry_never_takes_the_place_of_the_vendored_toolkit(project: SmallProject) -> None:
    project.publish("dvc-bucket", "3.0.0", "second")
    project.clone.make("upgrade")
    assert project.pins()["dvc-bucket"] == "1.0.0"


def test_a_project_file_without_dependencies_is_named(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    with pytest.raises(ProjectError, match=r"pyproject.toml has no \[project\] with dependencies"):
        add_package(Project(tmp_path), "scipy")
