"""Sends again what the remote lacks, from copies on this machine that are proven right."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dvc_bucket.base.errors import UnsafePathError
from dvc_bucket.base.paths import Project
from dvc_bucket.base.safe_paths import below
from dvc_bucket.base.words import counted
from dvc_bucket.connection.retries import interruptible
from dvc_bucket.dvc.audit import lfs
from dvc_bucket.dvc.audit.findings import AuditFinding
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.remote.connection import Remote
from dvc_bucket.dvc.remote.lists import Lists
from dvc_bucket.git.contents import Repository
from dvc_bucket.transfer.errors import naming_failures

#: Uploads at once.
THREADS = 8


def repair(
    findings: Sequence[AuditFinding], remote: Remote, lists: Lists, cache: Path, project: Project
) -> dict[bytes, str]:
    """Upload what is missing or damaged; return why not, for each object that could not be.

    The list of a directory goes last, and only if all its files are there: DVC takes a directory
    whose list is on the remote for complete, and would never send the rest.

    Args:
        findings: what is wrong.
        remote: where to.
        lists: reads them.
        cache: DVC's local cache folder.
        project: whose work tree can hold a file that the cache lost.

    Raises:
        TransferError: the store refused or could not be reached.
    """
    copies = _copies(findings, cache, project)
    files = {name: paths for name, paths in copies.items() if not ids.is_list(name)}
    failed = send(files, remote)
    complete: dict[bytes, list[Path]] = {}
    for name in copies.keys() - files.keys():
        lost = len(lists.members(name, failed) or ()) if failed else 0
        if lost:
            failed[name] = f"not sent: {counted(lost, 'file')} without an intact copy here"
        else:
            complete[name] = copies[name]
    return failed | send(complete, remote)


def _copies(
    findings: Sequence[AuditFinding], cache: Path, project: Project
) -> dict[bytes, list[Path]]:
    """Where copies of each object may be: in the cache of DVC or git-lfs, in the work tree."""
    copies: dict[bytes, list[Path]] = defaultdict(list)
    repository: Repository | None = None
    for finding in findings:
        name, root = finding.name, project.root
        if name is None:
            continue
        local = cache / ids.path(name)
        if ids.is_lfs(name):
            repository = repository or Repository.of(project)
            local, root = lfs.local_copy(repository, name), repository.root
        copies[name].append(local)
        if not ids.is_list(name):
            try:
                copies[name].append(below(root, finding.path))
            except UnsafePathError:
                continue
    return copies


def send(copies: Mapping[bytes, Sequence[Path]], remote: Remote) -> dict[bytes, str]:
    """Upload objects; return why not, for each that could not be.

    Args:
        copies: where there may be a copy of each object; the first that is right is sent.
        remote: where to.

    Raises:
        TransferError: the store refused or could not be reached.
    """
    with ThreadPoolExecutor(THREADS) as pool, interruptible():
        reasons = pool.map(lambda name: _send_one(name, copies[name], remote), copies)
        return {name: reason for name, reason in zip(copies, reasons, strict=True) if reason}


def _send_one(name: bytes, copies: Sequence[Path], remote: Remote) -> str:
    """Upload the first good copy of an object; return why not, if there is none."""
    damaged = ""
    for path in dict.fromkeys(copies):
        if not path.is_file():
            continue
        if ids.is_right(path, name):
            key = remote.key(name)
            with naming_failures(f"upload {key}", remote.settings):
                remote.store.put(key, path)
            return ""
        damaged = damaged or f"the local copy {path} is damaged too"
    return damaged or "no copy on this machine"
