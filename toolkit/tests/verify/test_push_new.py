"""One more file of a directory is pushed without DVC, and only where DVC would push the same."""

import shutil
from collections.abc import Callable
from hashlib import md5
from pathlib import Path

import pytest

from dvc_bucket.dvc import looks, push_new
from dvc_bucket.dvc import nothing_to_do as nothing
from dvc_bucket.dvc.remote.outputs import opened
from tests.verify.published import Published


@pytest.fixture
def added(on_seaweed: Published) -> Published:
    """A project that was pushed, and a file that was added to its directory since."""
    with opened(on_seaweed.project) as repo:
        nothing.note(on_seaweed.project, repo, "push", looks.now())
    add(on_seaweed, "one.bin", b"one more")
    return on_seaweed


def add(published: Published, name: str, content: bytes) -> None:
    (published.root / "images" / name).write_bytes(content)
    published.dvc("add", "-q", "images")


def push(published: Published) -> int | None:
    return push_new.push(published.project, published.settings)


def test_the_new_file_and_the_list_are_pushed(added: Published) -> None:
    assert added.clone.run("bucket", "push").stdout == "2 files pushed\n"
    assert "up to date" in added.clone.run("bucket", "push").stdout
    assert added.clone.run("bucket", "dvc", "push").stdout == f"{nothing.UP_TO_DATE}\n"
    assert "in sync" in added.clone.run("bucket", "dvc", "status", "-c").stdout
    shutil.rmtree(added.root / ".dvc" / "cache")
    shutil.rmtree(added.root / "images")
    added.dvc("pull")
    assert (added.root / "images" / "one.bin").read_bytes() == b"one more"


def test_what_the_remote_has_is_not_sent_again(added: Published) -> None:
    (added.root / "images" / "one.bin").unlink()
    add(added, "again.bin", (added.root / "images" / "03.bin").read_bytes())
    assert push(added) == 1  # the list
    assert push(added) == 0


def new_object(added: Published) -> Path:
    oid = md5(b"one more").hexdigest()
    return added.cached(f"files/md5/{oid[:2]}/{oid[2:]}")


def damage_the_new_object(added: Published) -> None:
    path = new_object(added)
    path.unlink()
    path.write_bytes(b"one MORE")


def test_a_list_is_not_sent_without_a_file_of_it(added: Published) -> None:
    """A directory whose list is on the remote counts as complete there."""
    before = sorted(added.keys)
    damage_the_new_object(added)
    assert push(added) is None
    assert sorted(added.keys) == before


def point_at_another_remote(added: Published) -> None:
    config = added.root / ".dvc" / "config.local"
    config.write_text(config.read_text().replace(added.prefix, f"{added.prefix}/other"))


def hide_a_pointer(added: Published) -> None:
    (added.root / ".dvcignore").write_text("table.csv.dvc\n")


CHANGES: dict[str, Callable[[Published], object]] = {
    "the new object is gone from the cache": lambda added: new_object(added).unlink(),
    "the new object is damaged": damage_the_new_object,
    "the remote is another": point_at_another_remote,
    "a tracked file of DVC is ignored": hide_a_pointer,
    "the list of the last push is gone": lambda added: added.delete(added.list_of_images),
    "no push is known": lambda added: added.project.sent.unlink(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_anything_unusual_is_left_to_dvc(added: Published, change: str) -> None:
    CHANGES[change](added)
    assert push(added) is None
