"""Where a path lies and what a remote is are found as DVC finds them, and once."""

from copy import copy
from typing import Any

import pytest
from dvc.data_cloud import DataCloud
from dvc.fs import get_cloud_fs
from dvc.repo.index import _load_storage_from_out
from dvc_data.index import StorageMapping

from dvc_bucket.dvc.patched import found_once
from dvc_bucket.dvc.remote.outputs import opened
from tests.patched.small_repos import Small

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


REMOTES = {
    "core": {"remote": "one"},
    "remote": {"one": {"url": "/nowhere/one"}, "other": {"url": "/nowhere/other"}},
}


@pytest.mark.parametrize("config", [REMOTES, {}], ids=["remotes", "no remote"])
def test_a_remote_is_taken_once_for_a_map(
    ran: Small, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, get_remote = [], DataCloud.get_remote

    def counted(cloud: DataCloud, *arguments: Any, **named: Any) -> Any:
        asked.append(arguments)
        return get_remote(cloud, *arguments, **named)

    monkeypatch.setattr(DataCloud, "get_remote", counted)
    once = found_once.remotes(_load_storage_from_out)
    with opened(ran.project, config) as repo:
        outs = [*repo.index.outs, *repo.index.outs]
        outs[-1] = copy(outs[-1])
        outs[-1].remote = "other" if config else None
        assert places(outs, once) == places(outs, _load_storage_from_out)
        assert "get_remote" not in vars(repo.cloud)
    names = 2 if config else len(outs)  # where there is none, DVC says so each time
    assert len(asked) == names + len(outs)


def places(outs: list[Any], load: Any) -> list[Any]:
    """Where a map has the remote of each output, as DVC loads it."""
    found = StorageMapping()
    for number, out in enumerate(outs):
        load(found, (str(number),), out)
    storages = [found[(str(number),)].remote for number in range(len(outs))]
    return [one and (one.odb.path, one.odb.hash_name, one.read_only) for one in storages]
