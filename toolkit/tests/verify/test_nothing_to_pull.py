"""A second pull is told before DVC starts, and only where DVC would say the same."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dvc_bucket.dvc import nothing_to_pull as nothing
from tests.verify.published import Published


@pytest.fixture
def pulled(on_seaweed: Published) -> Published:
    """A project whose data is there, which was noted."""
    nothing.note(on_seaweed.project)
    assert nothing.is_done(on_seaweed.project)
    return on_seaweed


def remove_an_object(published: Published) -> None:
    published.cached(published.object("images/01.bin")).unlink()


def edit_in_place(published: Published) -> None:
    """A file of the same size, written again: DVC's links are broken first, as an editor does."""
    path = published.root / "images" / "02.bin"
    content = bytearray(path.read_bytes())
    path.unlink()
    content[0] ^= 1
    path.write_bytes(content)


def track_more(published: Published) -> None:
    published.track("deep/more.bin", b"more")


def forget_a_pointer(published: Published) -> None:
    (published.root / "table.csv.dvc").unlink()


def change_a_pointer(published: Published) -> None:
    pointer = published.root / "table.csv.dvc"
    pointer.write_text(pointer.read_text().replace("md5: ", "md5: f", 1))


CHANGES: dict[str, Callable[[Published], object]] = {
    "a file is gone": lambda published: (published.root / "images" / "03.bin").unlink(),
    "a file is new": lambda published: (published.root / "images" / "new").touch(),
    "a file has other bytes": edit_in_place,
    "a folder is gone": lambda published: shutil.rmtree(published.root / "images"),
    "an object is gone from the cache": remove_an_object,
    "the cache is gone": lambda published: shutil.rmtree(published.root / ".dvc" / "cache"),
    "more is tracked": track_more,
    "less is tracked": forget_a_pointer,
    "another content is recorded": change_a_pointer,
    "the configuration is another": lambda published: os.utime(published.project.dvc_config),
    "something new is ignored": lambda published: (published.root / ".dvcignore").touch(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_dvc_would_look_at_has_it_look(pulled: Published, change: str) -> None:
    CHANGES[change](pulled)
    assert not nothing.is_done(pulled.project)


def test_where_nothing_changed_neither_dvc_nor_the_store_is_asked(pulled: Published) -> None:
    def pull(*options: str) -> tuple[int, str]:
        words = ("bucket", "pull", *options)
        done = pulled.clone.run(*words, check=False, OS_ENDPOINT_URL="nowhere")
        return done.returncode, done.stdout

    assert pull() == (0, f"{nothing.ANSWER}\n")
    assert pull("-q") == (0, "")
    assert pull("-v")[0] == 1
    (pulled.root / "images" / "03.bin").unlink()
    assert "1 file added" in pulled.clone.run("bucket", "pull").stdout
    assert (pulled.root / "images" / "03.bin").exists()
    assert nothing.is_done(pulled.project)


def test_a_pull_that_fails_notes_nothing(pulled: Published) -> None:
    track_more(pulled)
    shutil.rmtree(pulled.root / ".dvc" / "cache")
    (pulled.root / "deep" / "more.bin").unlink()
    assert pulled.clone.run("bucket", "pull", check=False).returncode == 1
    assert not nothing.is_done(pulled.project)
    assert Path(pulled.root / "images" / "01.bin").exists()
