"""This machine: DVC's cache, scratch space, locks, versions; and how many files there are."""

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import ClassVar

import psutil

from dvc_bucket.base import project_settings
from dvc_bucket.base.files import is_writable, readable_size
from dvc_bucket.base.paths import FAST_DISKS
from dvc_bucket.base.toolkit import installed_version
from dvc_bucket.connection import cache_links
from dvc_bucket.connection import dvc_config as config
from dvc_bucket.dvc.audit.cache import LocalCache
from dvc_bucket.dvc.patched import links as links_of_dvc
from dvc_bucket.jobs.doctor.check import Check, Problem, Skip, Warn
from dvc_bucket.jobs.doctor.patient import Patient
from dvc_bucket.jobs.doctor.repository import GitThere, dvc_option, git, more
from dvc_bucket.jobs.doctor.service import MayList

#: Below this mean size a request costs more than its bytes; above this number it is felt.
TINY_BYTES = 100_000
MANY_OBJECTS = 1_000

#: Objects that are counted at most: ten requests.
COUNTED = 10_000

#: File systems that a network lies behind, where a plain lock may not hold.
NETWORKED = {"nfs", "nfs4", "lustre", "gpfs", "beegfs", "ceph", "cifs", "smb3", "fuse.sshfs", "afs"}

#: Below so many bytes, or so many more files, a disk is soon full.
FREE_BYTES = 1_000_000_000
FREE_FILES = 10_000

#: Bytes of changed objects that are read at once; more is left to `bucket verify --cache`.
READ_BYTES = 64 * 1024 * 1024


class CacheLinks(Check):
    """Where DVC copies, every file takes its space twice and its time too."""

    name = "cache links"
    fix = "Set `dvc config cache.type reflink,hardlink,symlink,copy`."

    @staticmethod
    def check(patient: Patient) -> str:
        """Try the configured link types in their order, from the cache to the workspace."""
        own = config.read(patient.project.dvc_config_local).get("cache", {})
        is_protected = os.geteuid() == 0 and own.get("type") == ",".join(cache_links.ROOT_LINKS)
        wanted = cache_links.link_types(patient.project, tracked_only=is_protected)
        folder, beside = _cache(patient), patient.project.dvc_config.parent
        if unwritable := [path for path in (folder, beside) if not is_writable(path)]:
            raise Skip(f"{unwritable[0]} is not writable")
        links = wanted[: wanted.index("copy")] if "copy" in wanted else wanted
        for kind in links_of_dvc.working(links, folder, beside):
            if is_protected and kind not in cache_links.ROOT_LINKS:
                return "copies, because root can write through links into the cache"
            return f"{kind}: one copy on disk"
        raise Warn(
            f"DVC copies, because none of {', '.join(wanted)} works from {folder} to the workspace"
        )


class RootWritesThrough(Check):
    """Root writes through a link into the cache and changes an old version of the data."""

    name = "links of root"
    fix = "`dvc checkout --relink`"
    requires = (GitThere,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Look at the link types, then at the outputs in the workspace."""
        if os.geteuid() != 0:
            raise Skip("for root only")
        if risky := set(cache_links.link_types(patient.project)) - set(cache_links.ROOT_LINKS):
            raise Warn(
                f"cache.type has {', '.join(sorted(risky))}",
                "`dvc config --local cache.type reflink,copy`, then `dvc checkout --relink`.",
            )
        for path in _linked(patient):
            raise Warn(f"{path.relative_to(patient.project.root)} is a link to DVC's cache")
        return "none"


class CacheContents(Check):
    """DVC trusts its cache: a changed object comes back as the old version of the data."""

    name = "cache contents"
    fix = "`bucket verify --cache` names the objects and says how to restore them."

    @staticmethod
    def check(patient: Patient) -> str:
        """Read the objects that changed since they were last read, if that is not much."""
        objects = LocalCache(patient.project, _cache(patient))
        names = objects.names()
        unread = objects.unread(names)
        if (size := sum(unread.values())) > READ_BYTES:
            amount = f"{len(unread):,} objects ({readable_size(size)})"
            return f"{amount} not checked yet: bucket verify --cache"
        kinds = [fault.kind for fault in objects.faults(unread).values()]
        if damaged := len(kinds) - kinds.count("not checked"):
            raise Warn(f"{damaged:,} of {len(names):,} objects are damaged")
        if kinds:
            raise Warn(f"{len(kinds):,} of {len(names):,} objects cannot be read")
        return f"{len(names):,} objects, all intact"


class ObjectCount(Check):
    """Each file costs a request or two, so that ten thousand tiny ones take hours."""

    name = "objects"
    fix = (
        "`bucket pack FOLDER SHARDS` packs small files into a few large ones; track those with "
        "`dvc add`."
    )
    requires = (MayList,)

    @staticmethod
    def check(patient: Patient) -> str:
        """List them, as far as ten requests go."""
        if patient.settings.is_swift_account:
            raise Skip("only S3's listings are counted")
        pages = patient.client.get_paginator("list_objects_v2").paginate(
            Bucket=patient.settings.bucket_name,
            Prefix=patient.folder,
            PaginationConfig={"MaxItems": COUNTED},
        )
        items = [item for page in pages for item in page.get("Contents", [])]
        sizes = [item["Size"] for item in items if not item["Key"].startswith(patient.probes)]
        if not sizes:
            return "none yet"
        mean = sum(sizes) / len(sizes)
        number = f"{'at least ' if len(items) == COUNTED else ''}{len(sizes):,}"
        size = f"{mean / 1000:,.0f} kB" if mean >= 1000 else f"{mean:.0f} B"
        text = f"{number}, {size} on average"
        if len(sizes) >= MANY_OBJECTS and mean < TINY_BYTES:
            raise Warn(text)
        return text


class SmallFiles(Check):
    """Each file costs a request or two, so that ten thousand tiny ones take hours."""

    name = "small files"
    fix = ObjectCount.fix
    requires = (GitThere,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Read what DVC's files say of folders: how many files, how large."""
        metas = {path: out.meta for path, out in patient.dvc_files[1]}
        tiny = [
            f"{path} has {meta.nfiles:,} files of {meta.size / meta.nfiles / 1000:,.1f} kB on "
            "average"
            for path, meta in metas.items()
            if (meta.nfiles or 0) >= MANY_OBJECTS and (meta.size or 0) / meta.nfiles < TINY_BYTES
        ]
        if tiny:
            raise Warn(f"{tiny[0]}{more(len(tiny))}")
        return "no folder with many files"


class LocksHold(Check):
    """On a network file system two `dvc` at once can both think that they hold the lock."""

    name = "locks"
    fix = "`dvc config core.hardlink_lock true`"

    @staticmethod
    def check(patient: Patient) -> str:
        """Look at the file system that `.dvc` is on."""
        mounts = {part.mountpoint: part.fstype for part in psutil.disk_partitions(all=True)}
        folders = map(str, patient.project.dvc_config.resolve().parents)
        kind = next((mounts[folder] for folder in folders if folder in mounts), "unknown")
        has_option = dvc_option(patient, "core", "hardlink_lock").lower() == "true"
        if kind in NETWORKED and not has_option:
            raise Warn(f".dvc is on {kind}, but core.hardlink_lock is not set")
        return f"{kind}{', core.hardlink_lock' if has_option else ''}"


class ScratchSpace(Check):
    """Staged data and temporary files go there; a full one stops a job in the middle."""

    name = "scratch space"
    fix = f"Set {' or '.join(FAST_DISKS)} to a folder with free space, or free some space."

    @staticmethod
    def check(patient: Patient) -> str:  # noqa: ARG004
        """Write there, and see how much is free."""
        name = next((name for name in FAST_DISKS if os.environ.get(name)), None)
        folder = Path(os.environ[name] if name else tempfile.gettempdir())
        where = f"{folder} ({name or 'default'})"
        try:
            with tempfile.NamedTemporaryFile(dir=folder):
                free = shutil.disk_usage(folder).free
        except OSError as error:
            raise Problem(f"{where}: {error.strerror}") from None
        text = f"{where}, {free / 1e9:,.0f} GB free"
        if free < FREE_BYTES:
            raise Warn(text)
        return text


class DiskSpace(Check):
    """A full disk ends a pull or a stage in the middle; so does one that takes no more files."""

    name = "disk space"
    fix = (
        "Free some space (`bucket clean`), or move DVC's cache to another disk: `dvc cache dir "
        "--local`."
    )

    @staticmethod
    def check(patient: Patient) -> str:
        """Ask the file systems of the cache and of the workspace."""
        cache = _cache(patient)
        kept = next(folder for folder in (cache, *cache.resolve().parents) if folder.is_dir())
        for folder in (kept, patient.project.root):
            state = os.statvfs(folder)
            size = state.f_bavail * state.f_frsize
            if size < FREE_BYTES:
                raise Warn(f"{folder} has {readable_size(size)} free")
            if state.f_files and state.f_favail < FREE_FILES:
                raise Warn(f"{folder} takes only {state.f_favail:,} more files (inodes)")
        return f"{readable_size(size)} free"


class ToolVersions(Check):
    """Results and behaviour are tried with the versions of the lock file."""

    name = "tools"
    fix = "`make setup`"

    PACKAGES: ClassVar = ("dvc", "dvc-s3", "s3fs", "botocore", "obstore", "pyarrow")

    @staticmethod
    def check(patient: Patient) -> str:
        """Compare what is installed with the lock file."""
        lock = patient.project.root / project_settings.of(patient.project).lock_file
        text = lock.read_text() if lock.is_file() else ""
        pinned = dict(re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE))
        installed = {name: installed_version(name) for name in ToolVersions.PACKAGES}
        if missing := [name for name, version in installed.items() if not version]:
            raise Problem(f"not installed: {', '.join(missing)}")
        if other := [
            f"{name} {version} (lock: {pinned[name]})"
            for name, version in installed.items()
            if pinned.get(name, version) != version
        ]:
            raise Warn(", ".join(other))
        own = git(patient, "--version").stdout.strip().removeprefix("git version ")
        return ", ".join([f"git {own}", *(f"{k} {v}" for k, v in installed.items())])


def _cache(patient: Patient) -> Path:
    """Where the cache is."""
    return patient.project.dvc_config.parent / (dvc_option(patient, "cache", "dir") or "cache")


def _linked(patient: Patient) -> Iterator[Path]:
    """Files of outputs that are links to the cache."""
    folder = _cache(patient).resolve()

    @cache
    def inodes() -> set[tuple[int, int]]:
        looks = (path.lstat() for path in folder.rglob("*"))
        return {(look.st_dev, look.st_ino) for look in looks if stat.S_ISREG(look.st_mode)}

    local = (out for _, out in patient.dvc_files[1] if out.protocol == "local")
    places = [Path(out.fs_path) for out in local]
    for path in (path for place in places for path in (place, *place.rglob("*"))):
        if path.is_symlink():
            is_link = path.resolve().is_relative_to(folder)
        elif is_link := path.is_file() and (look := path.stat()).st_nlink > 1:
            is_link = (look.st_dev, look.st_ino) in inodes()
        if is_link:
            yield path
