"""Finds once where paths lie, and what a remote is, where DVC does so for every output.

For each it checks a configuration against its schema; for the data of an output that is in a
remote, it also makes the client.
"""

import functools
import os
from collections.abc import Callable
from typing import Any


def file_systems(get_cloud_fs: Callable[..., Any]) -> Callable[..., Any]:
    """DVC's `get_cloud_fs`, which has the class and options of plain paths from the first one."""
    kept: dict[Any, tuple[Any, dict[str, Any]]] = {}

    @functools.wraps(get_cloud_fs)
    def find(repo_config: Any, **options: Any) -> Any:
        if not _is_plain(options):
            return get_cloud_fs(repo_config, **options)
        # All that DVC takes from the configuration for a path that is no address.
        jobs = (repo_config or {}).get("core", {}).get("checksum_jobs")
        if jobs not in kept:
            kept[jobs] = get_cloud_fs(repo_config, **options)[:2]
        kind, found = kept[jobs]
        return kind, dict(found), kind._strip_protocol(options["url"])

    return find


def _is_plain(options: dict[str, Any]) -> bool:
    """Whether this is a path of this machine, with nothing else said about it."""
    match options:
        case {"url": str(path), **others}:
            return not (others or ":" in path or path.startswith("//")) and os.name == "posix"
    return False


def remotes(load: Callable[..., None]) -> Callable[..., None]:
    """DVC's `_load_storage_from_out`, which takes each remote once for one map of storages."""
    last: Any = None
    known: dict[Any, Any] = {}

    @functools.wraps(load)
    def ours(storage_map: Any, key: Any, out: Any) -> None:
        nonlocal last
        if storage_map is not last:
            last = storage_map
            known.clear()
        cloud = out.repo.cloud

        def get_remote(name: str | None = None, *arguments: Any, **named: Any) -> Any:
            if (cloud, name) not in known:
                known[cloud, name] = type(cloud).get_remote(cloud, name, *arguments, **named)
            return known[cloud, name]

        vars(cloud)["get_remote"] = get_remote
        try:
            load(storage_map, key, out)
        finally:
            vars(cloud).pop("get_remote", None)

    return ours
