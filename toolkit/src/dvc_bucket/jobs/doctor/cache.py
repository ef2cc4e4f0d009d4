"""DVC's cache: how its files get into the workspace, and whether they are what they should be."""

import os
import stat
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from dvc_bucket.base.files import readable_size
from dvc_bucket.connection import dvc_config as config
from dvc_bucket.dvc.audit.cache import LocalCache
from dvc_bucket.jobs.doctor.check import Check, Skip, Warn
from dvc_bucket.jobs.doctor.patient import Patient
from dvc_bucket.jobs.doctor.repository import GitThere, dvc_option

#: Bytes of changed objects that are read at once; more is left to `bucket verify --cache`.
READ_BYTES = 64 * 1024 * 1024


class CacheLinks(Check):
    """Where DVC copies, every file takes its space twice and its time too."""

    name = "cache links"
    fix = "Set `dvc config cache.type reflink,hardlink,symlink,copy`."

    @staticmethod
    def check(patient: Patient) -> str:
        """Try the configured link types in their order, from the cache to the workspace."""
        from dvc_objects.fs.generic import test_links
        from dvc_objects.fs.local import localfs

        own = config.read(patient.project.dvc_config_local).get("cache", {})
        is_protected = os.geteuid() == 0 and own.get("type") == ",".join(config.ROOT_LINKS)
        wanted = config.link_types(patient.project, tracked_only=is_protected)
        folder, beside = str(_folder(patient)), str(patient.project.dvc_config.parent)
        links = wanted[: wanted.index("copy")] if "copy" in wanted else wanted
        for kind in test_links(links, localfs, folder, localfs, beside):
            if is_protected and kind not in config.ROOT_LINKS:
                return "copies, as root writes through links into the cache"
            return f"{kind}: one copy on disk"
        raise Warn(f"DVC copies: none of {', '.join(wanted)} works from {folder} to the workspace")


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
        if risky := set(config.link_types(patient.project)) - set(config.ROOT_LINKS):
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
        objects = LocalCache(patient.project, _folder(patient))
        names = objects.names()
        unread = objects.unread(names)
        if (size := sum(unread.values())) > READ_BYTES:
            amount = f"{len(unread):,} objects ({readable_size(size)})"
            return f"{amount} are not read yet: bucket verify --cache"
        if damaged := unread.keys() - objects.sound(unread):
            raise Warn(f"{len(damaged):,} of {len(names):,} objects are damaged")
        return f"{len(names):,} objects, all right"


def _folder(patient: Patient) -> Path:
    """Where the cache is."""
    return patient.project.dvc_config.parent / (dvc_option(patient, "cache", "dir") or "cache")


def _linked(patient: Patient) -> Iterator[Path]:
    """Files of outputs that are links to the cache."""
    folder = _folder(patient).resolve()

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
