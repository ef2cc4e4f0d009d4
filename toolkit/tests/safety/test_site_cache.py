"""DVC unpickles what is in its site cache, so nobody else can write there."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from dvc_bucket import BucketError, Project
from dvc_bucket.connection.env_file import create_env
from dvc_bucket.dvc.remote.outputs import opened
from tests.bucket.store_tools import run
from tests.safety.conftest import Stranger


@pytest.fixture
def clone(project: Project) -> Project:
    """A clone with settings, in which DVC has not run yet."""
    create_env(project)
    subprocess.run(["git", "init", "-q"], cwd=project.root, check=True)
    return project


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_site_cache_is_private_after_dvc_ran(clone: Project) -> None:
    (clone.root / "data.csv").write_text("1\n")
    done = run(clone, "dvc", "add", "-q", "data.csv")
    assert done.returncode == 0, done.stderr
    assert mode(clone.dvc_site_cache) == 0o700
    assert list(clone.dvc_site_cache.rglob("*.db"))  # it is the folder that DVC uses
    others = [p for p in (clone.root / ".dvc" / "tmp").rglob("*") if mode(p) & 0o022]
    assert [p for p in others if clone.dvc_site_cache not in p.parents] == []


def test_the_site_cache_is_private_after_a_read_from_python(clone: Project) -> None:
    with opened(clone) as repo:
        assert Path(repo.site_cache_dir).is_relative_to(clone.dvc_site_cache)
    assert mode(clone.dvc_site_cache) == 0o700


@pytest.mark.parametrize("words", [["dvc", "status"], ["pull"], ["run", "true"], ["verify"]])
def test_a_site_cache_that_others_can_write_is_refused_with_the_fix(
    clone: Project, words: list[str]
) -> None:
    (clone.dvc_site_cache / "repo").mkdir(parents=True)
    clone.dvc_site_cache.chmod(0o777)
    done = run(clone, *words)
    assert done.returncode == 1
    told = " ".join(done.stderr.split())
    assert f"{clone.dvc_site_cache} has the mode 0777" in told
    assert f"rm -r '{clone.dvc_site_cache}'" in told
    assert list((clone.dvc_site_cache / "repo").iterdir()) == []
    with pytest.raises(BucketError, match="rm -r"), opened(clone):
        pass


def test_a_site_cache_of_a_stranger_is_refused(clone: Project, stranger: Stranger) -> None:
    clone.dvc_site_cache.mkdir(parents=True, mode=0o700)
    os.chown(clone.dvc_site_cache, stranger.uid, stranger.gid)
    done = run(clone, "dvc", "status")
    assert done.returncode == 1
    assert f"belongs to the user with the ID {stranger.uid}" in done.stderr


def test_a_folder_that_the_environment_names_is_held_to_the_same(
    clone: Project, tmp_path: Path
) -> None:
    shared, own = tmp_path / "shared", tmp_path / "own"
    shared.mkdir()
    shared.chmod(0o777)
    assert run(clone, "dvc", "status", DVC_SITE_CACHE_DIR=str(shared)).returncode == 1
    assert run(clone, "dvc", "status", DVC_SITE_CACHE_DIR=str(own)).returncode == 0
    assert mode(own) == 0o700
    assert not clone.dvc_site_cache.exists()
