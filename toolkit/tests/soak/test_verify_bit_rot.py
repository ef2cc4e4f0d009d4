"""A bit that flips on the disk of SeaweedFS, which tries for half a minute before it says so."""

import os

from dvc_bucket import Project
from tests.verify.conftest import on_seaweed, originals  # noqa: F401 (fixtures)
from tests.verify.published import Published, flip_on_disk, named


def test_an_object_that_seaweedfs_cannot_read_any_more_is_named_and_mended(
    on_seaweed: Published,  # noqa: F811
    store: Project,
) -> None:
    content = os.urandom(3000)
    path = on_seaweed.track("one.bin", content)
    on_seaweed.put(path, content)
    flip_on_disk(store.store, content)
    assert on_seaweed.verify().ok
    assert named(on_seaweed.verify(deep=True).findings) == [("not checked", "one.bin")]
    assert on_seaweed.verify(deep=True, repair=True).ok
    assert on_seaweed.get(path) == content
