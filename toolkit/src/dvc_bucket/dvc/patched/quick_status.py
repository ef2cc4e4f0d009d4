"""Compares what DVC's `status` compares for each file of a directory, by hashes alone.

- `changed_cache`, in the place of the method of an output: whether the cache lacks one of its
  files. DVC makes four objects of each file to find that all are there.
- `cloud_status`, in the place of the function behind `dvc status --cloud`: what cache and remote do
  not both have. DVC reads each list three times, and gives each file a name.
"""

import functools
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from dvc_bucket.dvc.patched import file_lists
from dvc_bucket.dvc.patched.gathered import Gathered
from dvc_bucket.dvc.patched.in_cache import not_in_cache
from dvc_bucket.dvc.patched.remotes import is_ours
from dvc_bucket.dvc.patched.stage_touch_points import CHANGED_CACHE, CLOUD_STATUS


def changed_cache(original: Callable[..., bool]) -> Callable[..., bool]:
    """The method that tells whether the cache lacks something of an output."""

    @functools.wraps(original)
    def ours(out: Any, filter_info: Any = None) -> bool:
        if filter_info or out.obj or out.files or not (out.use_cache and _is_folder(out)):
            return original(out, filter_info)
        cache, oid = out.cache, out.hash_info.value
        try:
            files = file_lists.files(file_lists.read([cache], oid))
            lacking = not_in_cache(cache, chain((md5 for _, md5 in files), [oid]))
            return next(lacking, None) is not None
        except FileNotFoundError:
            return True
        except file_lists.OtherFormError:
            return original(out, filter_info)

    return ours


def cloud_status(original: Callable[..., dict[str, str]]) -> Callable[..., dict[str, str]]:
    """The function that compares the cache with a remote."""

    @functools.wraps(original)
    def ours(
        repo: Any, targets: Any = None, jobs: Any = None, remote: Any = None, **named: Any
    ) -> dict[str, str]:
        found = None
        if not targets and not any(named.values()):
            found = _compared(repo, remote)
        return original(repo, targets, jobs, remote, **named) if found is None else found

    return ours


#: Our functions by the place of DVC's.
OURS: dict[str, Callable[[Any], Any]] = {CHANGED_CACHE: changed_cache, CLOUD_STATUS: cloud_status}


def _is_folder(out: Any) -> bool:
    """Whether an output is a directory in a local cache of DVC 3."""
    from dvc_data.hashfile.db.local import LocalHashFileDB

    content = out.hash_info
    return content.isdir and content.name == "md5" and type(out.cache) is LocalHashFileDB


def _compared(repo: Any, remote: str | None) -> dict[str, str] | None:
    """By name, what cache and remote do not both have; None if DVC has to find out."""
    from dvc_data.hashfile.db import get_index

    outs, wanted = list(_pushed(repo)), Gathered(None)
    cache = repo.cache.local
    try:
        for out in outs:
            if out.remote or out.protocol != "local" or out.hash_info.name != "md5":
                return None
            wanted.add(out.hash_info.value, [cache])
    except (FileNotFoundError, file_lists.OtherFormError):
        return None
    odb = repo.cloud.get_remote_odb(remote, "status") if wanted.objects else None
    if odb is None or not is_ours(odb.fs):
        return None
    from dvc_bucket.dvc.patched.moving import not_in_remote

    not_there = not_in_remote(wanted, wanted.objects, odb, get_index(odb))
    not_here = set(not_in_cache(cache, wanted.objects))
    names = dict[str, str]()
    for oid, name in _named(outs, wanted) if not_there or not_here else ():
        if oid in not_there or oid in not_here:
            names.setdefault(oid, name)
    words = {
        "deleted": not_here - not_there,
        "new": not_there - not_here,
        "missing": not_here & not_there,
    }
    return {names[oid]: word for word, oids in words.items() for oid in oids}


def _pushed(repo: Any) -> Iterator[Any]:
    """The outputs that a push is about."""
    for stage in repo.index.stages:
        if not stage.is_repo_import and not stage.is_partial_import:
            yield from (out for out in stage.outs if out.use_cache and out.can_push)


def _named(outs: list[Any], wanted: Gathered) -> Iterator[tuple[str, str]]:
    """Each object, with the name that DVC shows of it."""
    for out in outs:
        oid = out.hash_info.value
        yield oid, str(out)
        if oid in wanted.lists:
            for path, md5 in file_lists.files(wanted.lists[oid]):
                yield md5, f"{out}/{path}"
