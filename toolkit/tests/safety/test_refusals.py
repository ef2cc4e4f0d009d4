"""What the machine refuses and what DVC cannot read is said in words, without a traceback."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dvc_bucket import Project
from dvc_bucket.jobs.report.markdown import numbers
from tests.bucket.git_tools import Repo, make_repo


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with a little room, as only root can make one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def refused(repo: Repo, *words: str) -> str:
    done = repo.bucket(*words, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.lstrip().startswith("bucket: ")
    return done.stderr


def test_a_full_disk_is_said_in_a_sentence(full_disk: Path) -> None:
    repo = make_repo(full_disk / "clone")
    with contextlib.suppress(OSError), (full_disk / "ballast").open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(512))
    assert "No space left on device" in refused(repo, "secrets", "--install-hook")


@pytest.mark.parametrize("name", ["data.csv.dvc", "dvc.lock"])
def test_a_file_of_dvcs_that_is_no_yaml_is_named(store: Project, tmp_path: Path, name: str) -> None:
    repo = make_repo(tmp_path / "clone")
    repo.project.env_file.write_text(store.env_file.read_text())
    repo.project.env_file.chmod(0o600)
    repo.project.dvc_config.write_text(store.dvc_config.read_text())
    repo.write("dvc.yaml", "stages:\n  one:\n    cmd: date >one\n    outs: [one]\n")
    repo.write(name, "outs:\n- md5: 1\n1234567890\n\n")
    assert name in refused(repo, "cp", "data.csv", str(tmp_path / "to"))
    assert name in refused(repo, "ls")


def test_a_file_that_was_made_to_overtax_us_is_refused(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "clone")
    repo.write("dvc.yaml", "stages: &a\n  s:\n    cmd: date\n    meta: *a\n")
    assert "who wrote them" in refused(repo, "cp", "x", str(tmp_path / "to"))


@pytest.mark.parametrize("before", [1, 2.5, float("inf"), 10**400, 10**300])
def test_a_metric_of_hundreds_of_digits_does_not_end_a_report(before: float) -> None:
    assert "000" in numbers(before, 10**401)[1]
    assert "000" in numbers(-(10**401), before)[0]
    assert numbers(before, 10**300)[1]
