"""Pushes the few objects that were added since the last push, without starting DVC.

To push one more file of a directory, DVC compares each file of it with the cache and the remote.
Here, the new list of its files is compared with the list of the last push. As for DVC, a directory
whose list is on the remote is complete there.
"""

import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dvc_bucket.base.errors import BucketError
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc import hindrances, looks
from dvc_bucket.dvc import nothing_to_do as nothing

if TYPE_CHECKING:
    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.dvc.remote import Remote
    from dvc_bucket.dvc.remote.lists import Lists

#: Number of new objects at most: DVC sends more of them faster.
MOST = 1000


def push(project: Project, settings: "Settings") -> int | None:
    """Push what the last push did not have; None if DVC has to do it.

    DVC does it where anything is unusual: it reports it in its own words.

    Args:
        project: the clone.
        settings: the connection.

    Returns:
        Number of objects sent.
    """
    before = None if settings.anonymous else looks.earlier(project.sent).get("push")
    if before is None:
        return None
    with suppress(BucketError, OSError):
        return _push(project, settings, {*before})
    return None


def _push(project: Project, settings: "Settings", before: set[str]) -> int | None:
    from dvc_bucket.dvc.remote import Remote
    from dvc_bucket.dvc.remote.lists import Lists
    from dvc_bucket.dvc.remote.outputs import opened
    from dvc_bucket.dvc.remote.unseen import unseen

    hindrances.refuse(["push"])
    begun = looks.now()
    with opened(project) as repo, tempfile.TemporaryDirectory() as spool:
        now = nothing.sent(list(repo.index.outs))
        if now is None or unseen(project, repo):
            return None
        cache = Path(repo.cache.legacy.path)
        wanted = _new(Lists(cache, None, Path(spool)), before - {*now}, {*now} - before)
        if wanted is None or not nothing.has_all(project, settings, before):
            return None
        sent = _send(wanted, Remote.of(project, settings, None), cache)
        if sent is not None:
            nothing.note(project, repo, "push", begun)
        return sent


def _new(lists: "Lists", gone: Iterable[str], new: Iterable[str]) -> set[bytes] | None:
    """Names of the objects that were in no list of the last push; None if they are many."""
    from dvc_bucket.dvc.remote import ids

    wanted, sent = set[bytes](), set[bytes]()
    for names, paths in ((sent, gone), (wanted, new)):
        for name in map(ids.from_path, paths):
            objects = lists.objects(name) if name else None
            if objects is None:
                return None  # not in the cache
            names.update(map(bytes, objects))
    wanted -= sent
    return wanted if len(wanted) <= MOST else None


def _send(wanted: set[bytes], remote: "Remote", cache: Path) -> int | None:
    """Send objects that the remote lacks, lists last; None if there is no good copy of one."""
    from concurrent.futures import ThreadPoolExecutor

    from dvc_bucket.dvc.audit.repair import send
    from dvc_bucket.dvc.remote import ids
    from dvc_bucket.transfer.errors import naming_failures

    names, sent = sorted(wanted), 0
    with (
        naming_failures(f"list {remote.address}", remote.settings),
        ThreadPoolExecutor(nothing.LOOKUPS) as pool,
    ):
        there = list(pool.map(lambda name: nothing.is_there(remote, remote.key(name)), names))
    lacking = [name for name, is_there in zip(names, there, strict=True) if not is_there]
    for is_list in (False, True):
        copies = {
            name: [cache / ids.path(name)] for name in lacking if ids.is_list(name) == is_list
        }
        if send(copies, remote):
            return None
        sent += len(copies)
    return sent
