"""The packages of stages: what DVC makes of `packages.yaml`, and who refuses to run."""

import importlib.metadata
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dvc_bucket import Project
from dvc_bucket.base import packages
from dvc_bucket.base.errors import PackagesError
from dvc_bucket.dvc.packages import refuse
from dvc_bucket.stages.declared import versions
from dvc_bucket.testing import stage_faults
from tests import forking
from tests.bucket.store_tools import run
from tests.stages.package_tools import DATE, USED, lock, make, put_back


def dvc(project: Project, *words: str) -> str:
    """What plain `dvc` prints."""
    done = forking.run(
        [Path(sys.executable).with_name("dvc"), *words],
        cwd=project.root,
        env=os.environ | {"DVC_SITE_CACHE_DIR": str(project.dvc_site_cache), "SHELL": "/bin/sh"}
        | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    return f"{done.stdout}{done.stderr}"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project, whose two stages have run."""
    project = make(tmp_path_factory.mktemp("packages") / "clone")
    assert "Running stage 'fit'" in dvc(project, "repro")
    return project


@pytest.fixture
def project(ran: Project) -> Iterator[Project]:
    """The same, put back afterwards."""
    with put_back(ran, "dvc.lock", "fit.txt", "load.txt"):
        yield ran


def test_another_version_reruns_the_stages_that_import_the_package_and_no_other(
    project: Project,
) -> None:
    assert "up to date" in dvc(project, "status")
    lock(project, pytest="1.0")
    assert "up to date" in dvc(project, "status")
    lock(project, python_dateutil="9.0")
    said = dvc(project, "status")
    assert re.findall(r"^(\w+):$", said, re.MULTILINE) == ["fit"]
    assert re.search(r"modified:\s+python-dateutil", said)
    lock(project)
    assert "up to date" in dvc(project, "status")


def test_a_stage_refuses_another_version_than_recorded_where_dvc_is_not_ours(
    project: Project,
) -> None:
    lock(project, python_dateutil="9.0")
    said = dvc(project, "repro")
    assert f"fit: it would run with python-dateutil {DATE}, but packages.yaml has 9.0. " in said
    assert "make setup" in said
    assert "failed to run" in said
    lock(project, tomlkit="9.0")  # which it does not import
    script = [sys.executable, "fit.py", "load.txt", "fit.txt"]
    subprocess.run(script, cwd=project.root, check=True)


def test_a_stage_that_ran_with_a_version_before_is_taken_from_the_run_cache(
    project: Project,
) -> None:
    lock(project, tomlkit="9.0")
    assert "Running stage 'load'" in dvc(project, "repro")  # a script without our shell
    lock(project)
    said = dvc(project, "repro")
    assert "Running stage" not in said
    assert "Stage 'load' is cached" in said


def test_bucket_repro_refuses_what_it_would_run_with_another_version(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    lock(project, tomlkit="9.0")
    refused = run(project, "repro")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    installed = importlib.metadata.version("tomlkit")
    head = f"bucket: load would run with tomlkit {installed}, but packages.yaml has 9.0. "
    assert refused.stderr.startswith(head)
    assert "make setup" in refused.stderr
    assert "make lock" in refused.stderr
    # `fit` reads what `load` writes, but names another package; alone it has nothing to run.
    for words in (["--single-item", "fit"], ["--dry"]):
        refuse(["repro", *words])
    assert run(project, "repro", BUCKET_ANY_PACKAGES="1").returncode == 0
    # All is recorded with the version of the file: nothing would run any more.
    refuse(["repro"])
    with pytest.raises(PackagesError, match="load would run"):
        refuse(["repro", "--force"])


def test_the_comparison_with_what_is_installed_takes_at_most_40_ms(project: Project) -> None:
    (project.root / "packages.yaml").write_text(
        packages.text_of({name: importlib.metadata.version(name) for name in (*USED, "numpy",
            "pandas", "pyarrow", "scikit-learn", "scipy", "pydantic", "matplotlib")})
    )  # fmt: skip
    taken = []
    for _ in range(5):
        started = time.process_time()
        assert packages.different(project) == []
        taken.append(time.process_time() - started)
    assert min(taken) < 0.04


def test_a_project_without_the_file_goes_on_as_before(project: Project) -> None:
    flow = project.root / "dvc.yaml"
    flow.write_text(re.sub(r"    params:\n.*packages.yaml.*\n", "", flow.read_text()))
    project.packages.unlink()
    assert stage_faults(project.root) == []
    assert not versions.write(project)
    assert not project.packages.exists()
    assert run(project, "repro").returncode == 0
