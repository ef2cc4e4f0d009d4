"""A skeleton and an example as a group gets them, with packages of their own from the registry.

Takes some minutes: `make -C toolkit golden`. tests/template has what is quick.
"""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dvc_bucket import Project
from tests.clones import Clone
from tests.conftest import discard
from tests.end_to_end.clones import environment
from tests.template.projects import IDENTITY, at_work, make_new

#: Seconds of processor time that `make reproduce` and `make test` of a skeleton take at most: the
#: time on a clock is not longer where nothing else runs.
MAX_SECONDS = 15


@pytest.fixture(scope="module", params=["skeleton", "example"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def project(
    released: Clone, kind: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Clone]:
    """A project in a folder with a blank and a letter beyond ASCII, and an empty home."""
    folder = tmp_path_factory.mktemp("a project, é")
    root = make_new(released, folder / kind, name=f"my-{kind}", kind=kind)
    (folder / "home").mkdir()
    cache = released.run("uv", "cache", "dir").stdout.strip()
    variables = environment(root) | IDENTITY | {"HOME": str(folder / "home"), "UV_CACHE_DIR": cache}
    del variables["PYTHONPATH"]
    project = Clone(root, variables, timeout=1200)
    project.run("make", f"PYTHON={sys.executable}", "setup")
    yield Clone(root, variables | {"PATH": f"{root}/.venv/bin:{variables['PATH']}"}, timeout=1200)
    discard(Project(root))


def seconds_of(project: Clone, target: str) -> float:
    """Processor time of a target."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    project.make(target)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_its_packages_fit_one_another_and_the_toolkit_is_the_wheel(project: Clone) -> None:
    project.run("uv", "pip", "check", "--python", ".venv/bin/python")
    where = project.run(".venv/bin/python", "-c", "import dvc_bucket; print(dvc_bucket.__file__)")
    assert where.stdout.startswith(f"{project.root}/.venv/lib/")


def test_it_is_green_at_once(project: Clone) -> None:
    at_work(project)


def test_a_skeletons_tests_and_main_job_are_quick(project: Clone, kind: str) -> None:
    if kind != "skeleton":
        pytest.skip("The example has seven stages.")
    assert seconds_of(project, "test") < MAX_SECONDS
    project.run("rm", "-r", "data/interim", "reports/report.html", ".dvc/cache")
    assert seconds_of(project, "reproduce") < MAX_SECONDS


def test_the_same_bytes_come_out_again(project: Clone) -> None:
    assert "identical" in project.make("check").stdout


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_its_lock_files_install_from_any_folder(
    project: Clone, kind: str, tmp_path: Path, tool: str, lock: str
) -> None:
    if (kind, lock) != ("skeleton", "requirements.lock") and tool == "pip":
        pytest.skip("pip takes minutes: once is enough.")
    options = ["--without-pip"] if tool == "uv" else []
    subprocess.run([sys.executable, "-m", "venv", *options, tmp_path / "venv"], check=True)
    python, file = tmp_path / "venv" / "bin" / "python", project.root / lock
    elsewhere = Clone(tmp_path, project.environment, timeout=1200)
    words = ("install", "--quiet", "--no-deps", "--require-hashes", "--requirement", str(file))
    if tool == "uv":
        elsewhere.run("uv", "pip", *words, "--python", python)
    else:  # as the Makefile has it, and with the machine's downloads
        downloads = os.environ.get("PIP_CACHE_DIR", str(Path.home() / ".cache/pip"))
        pip = ("-m", "pip", "--disable-pip-version-check", *words, "--no-compile")
        elsewhere.run(python, *pip, PIP_CACHE_DIR=downloads)
    elsewhere.run(tmp_path / "venv" / "bin" / "bucket", "--version")
