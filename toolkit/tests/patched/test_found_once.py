"""Where a path lies is found as DVC finds it, and the schema is asked once."""

from typing import Any

import pytest
from dvc.fs import get_cloud_fs

from dvc_bucket.dvc.patched import found_once

CONFIG = {"core": {"checksum_jobs": 3}, "remote": {"shop": {"url": "s3://bucket/prefix"}}}

#: Paths, and what else is said about them.
PLACES: list[dict[str, Any]] = [
    *({"url": path} for path in ("in/1", "", ".", "../a b", "/abs/x", "a//b", "~/x", "a#b?c=1")),
    *(
        {"url": path}
        for path in ("c:x", "file:///tmp/x", "s3://bucket/x", "remote://shop/x", "//h")
    ),
    {"url": "in/1", "version_aware": True},
    {"url": "in/1", "jobs": 2},
    {"name": "shop"},
]


@pytest.mark.parametrize("place", PLACES, ids=str)
@pytest.mark.parametrize("config", [None, {}, CONFIG], ids=["none", "empty", "jobs"])
def test_a_place_is_found_as_dvc_finds_it(place: dict[str, Any], config: Any) -> None:
    ours = found_once.file_systems(get_cloud_fs)
    ours(CONFIG, url="other")
    ours({}, url="other")
    assert outcome(ours, config, place) == outcome(get_cloud_fs, config, place)


def outcome(find: Any, config: Any, place: dict[str, Any]) -> Any:
    try:
        return tuple(find(config, **place))
    except Exception as error:
        return type(error), str(error)


def test_dvc_finds_plain_paths_once_and_each_has_options_of_its_own() -> None:
    asked = []

    def counted(config: Any, **options: Any) -> Any:
        asked.append(options)
        return get_cloud_fs(config, **options)

    ours = found_once.file_systems(counted)
    for path in ("a", "b", "c"):
        _, options, found = ours(CONFIG, url=path)
        assert (options["checksum_jobs"], found) == (3, path)
        options.clear()
    assert len(asked) == 1
