"""Sends again what the remote lacks, from copies on this machine that are proven right."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dvc_bucket.base.errors import UnsafePathError
from dvc_bucket.base.safe_paths import below
from dvc_bucket.dvc.audit.findings import Finding
from dvc_bucket.dvc.audit.needed import file_md5
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.remote.lists import Lists
from dvc_bucket.dvc.remote.place import Remote
from dvc_bucket.transfer.errors import naming_failures

#: Uploads at once.
THREADS = 8


def repair(
    findings: Sequence[Finding], remote: Remote, lists: Lists, cache: Path, root: Path
) -> dict[bytes, str]:
    """Upload what is missing or damaged; return why not, for each object that could not be.

    The list of a directory goes last, and only if all its files are there: DVC takes a directory
    whose list is on the remote for complete, and would never send the rest.

    Args:
        findings: what is wrong.
        remote: where to.
        lists: reads them.
        cache: DVC's local cache folder.
        root: of the work tree, which can hold a file that the cache lost.

    Raises:
        TransferError: the store refused or could not be reached.
    """
    copies: dict[bytes, list[Path]] = defaultdict(list)
    for finding in findings:
        if finding.name is None:
            continue
        paths = copies[finding.name]
        if not paths:
            paths.append(cache / ids.path(finding.name))
        if not ids.is_list(finding.name):
            paths += in_work_tree(root, finding.path)
    files = {name: paths for name, paths in copies.items() if not ids.is_list(name)}
    failed = _send(files, remote)
    complete: dict[bytes, list[Path]] = {}
    for name in copies.keys() - files.keys():
        if lost := _lost(name, failed, lists):
            failed[name] = f"not sent: neither the cache nor the workspace has {lost} of its files"
        else:
            complete[name] = copies[name]
    return failed | _send(complete, remote)


def in_work_tree(root: Path, path: str) -> list[Path]:
    """The file at a path from data, if it is one inside of the work tree."""
    try:
        return [below(root, path)]
    except UnsafePathError:
        return []


def _lost(name: bytes, failed: Collection[bytes], lists: Lists) -> int:
    """How many files of a directory could not be sent."""
    return len(lists.members(name, failed) or ()) if failed else 0


def _send(copies: Mapping[bytes, Sequence[Path]], remote: Remote) -> dict[bytes, str]:
    """Upload objects; return why not, for each that could not be."""
    with ThreadPoolExecutor(THREADS) as pool:
        reasons = pool.map(lambda name: _send_one(name, copies[name], remote), copies)
        return {name: reason for name, reason in zip(copies, reasons, strict=True) if reason}


def _send_one(name: bytes, copies: Sequence[Path], remote: Remote) -> str:
    """Upload the first good copy of an object; return why not, if there is none."""
    return send(
        copies, lambda path: file_md5(path, name) == ids.md5(name), remote.key(name), remote
    )


def send(copies: Iterable[Path], is_good: Callable[[Path], bool], key: str, remote: Remote) -> str:
    """Upload the first good one of several files; return why not, if there is none.

    Raises:
        TransferError: the store refused or could not be reached.
    """
    import obstore

    damaged = ""
    for path in dict.fromkeys(copies):
        if not path.is_file():
            continue
        if not is_good(path):
            damaged = damaged or f"the local copy {path} is not what it should be either"
            continue
        with naming_failures(f"upload {key}", remote.settings):
            obstore.put(remote.store, key, path)
        return ""
    return damaged or "no copy on this machine"
