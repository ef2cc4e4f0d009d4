"""`bucket gc --cloud` takes from no commit what it needs, unless told exactly."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import forking
from tests.verify.published import OBJECTS, Published


@pytest.fixture
def moved_on(on_seaweed: Published) -> Published:
    """The data of tag v1 but for `table.csv` is no more in the workspace."""
    on_seaweed.git("tag", "v1")
    on_seaweed.git("rm", "-q", "images.dvc")
    shutil.rmtree(on_seaweed.root / "images")
    on_seaweed.commit("No images")
    return on_seaweed


def gc(published: Published, *options: str) -> subprocess.CompletedProcess[str]:
    return forking.run(
        ["bucket", "gc", *options],
        cwd=published.root,
        env=published.clone.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_what_others_need_is_shown_and_kept(moved_on: Published) -> None:
    cached = sorted(moved_on.root.rglob(".dvc/cache/files/md5/*/*"))
    done = gc(moved_on, "-c", "-w", "-f")
    lost = OBJECTS - 1
    assert done.returncode == 1
    assert f"would delete {lost} objects that other commits" in done.stderr
    assert re.search(rf"  {lost} in images, needed by .*v1", done.stderr), done.stderr
    assert f"--delete-needed={lost}." in done.stderr
    assert "Traceback" not in done.stderr
    assert len(moved_on.keys) == OBJECTS
    assert sorted(moved_on.root.rglob(".dvc/cache/files/md5/*/*")) == cached
    wrong = gc(moved_on, "-c", "-w", "-f", "--delete-needed=1")
    assert (wrong.returncode, len(moved_on.keys)) == (1, OBJECTS)
    assert "--delete-needed=1 is not the right number" in wrong.stderr


def test_what_nobody_pushed_is_kept_too(moved_on: Published) -> None:
    moved_on.git("checkout", "-q", "-b", "side")
    moved_on.track("more/extra.bin", b"not pushed")
    moved_on.commit("More")
    moved_on.git("checkout", "-q", "main")
    done = gc(moved_on, "-c", "-w", "-T", "-f")
    assert done.returncode == 1
    assert (
        "1 object that other commits of this clone need, 1 of which have no intact" in done.stderr
    )
    assert re.search(r"1 in more, needed by .*side", done.stderr)


def test_it_goes_when_the_number_is_said(moved_on: Published) -> None:
    done = gc(moved_on, "-c", "-w", "-f", f"--delete-needed={OBJECTS - 1}")
    assert done.returncode == 0, done.stderr
    assert moved_on.keys == [moved_on.object("table.csv")]


def test_what_no_commit_needs_goes_and_the_rest_stays(moved_on: Published) -> None:
    moved_on.put("files/md5/00/" + "0" * 30, b"left over")
    done = gc(moved_on, "--cloud", "--all-commits", "--force")
    assert done.returncode == 0, done.stderr
    assert len(moved_on.keys) == OBJECTS
    # A dry run deletes nothing and a run without the cloud does not reach the remote.
    assert gc(moved_on, "-c", "-w", "--dry").returncode == 0
    assert gc(moved_on, "-w", "-f").returncode == 0
    assert len(moved_on.keys) == OBJECTS


def test_a_commit_that_cannot_be_read_counts_as_one_that_needs(moved_on: Published) -> None:
    (moved_on.root / "dvc.yaml").write_text("stages: [this is no pipeline\n")
    moved_on.commit("Broken")
    moved_on.git("tag", "broken")
    moved_on.git("rm", "-q", "dvc.yaml")
    moved_on.git("checkout", "v1", "--", "images.dvc")
    moved_on.commit("Mended")
    done = gc(moved_on, "-c", "-w", "-f")
    assert done.returncode == 1
    assert re.search(r"unknown: .*broken.*: ", done.stderr), done.stderr
    assert "--delete-needed=1." in done.stderr


def test_a_shallow_clone_cannot_tell(moved_on: Published, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    moved_on.git("clone", "-q", "--depth", "1", f"file://{moved_on.root}", str(shallow))
    for name in (".env", ".dvc/config.local"):
        shutil.copy2(moved_on.root / name, shallow / name)
    there = Published(shallow, moved_on.store, moved_on.prefix)
    done = gc(there, "-c", "-w", "-f")
    assert done.returncode == 1
    assert "git fetch --unshallow --tags" in done.stderr
    assert len(moved_on.keys) == OBJECTS
