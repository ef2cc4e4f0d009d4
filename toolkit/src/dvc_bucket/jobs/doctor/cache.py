"""DVC's cache: how its files get into the workspace, and whether they are what they should be."""

import contextlib
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dvc_bucket.base.errors import ProjectError, SettingsError
from dvc_bucket.base.files import readable_size
from dvc_bucket.connection import dvc_config as config
from dvc_bucket.dvc.audit.cache import LocalCache
from dvc_bucket.dvc.remote.outputs import opened, outputs
from dvc_bucket.jobs.doctor.check import Check, Skip, Warn
from dvc_bucket.jobs.doctor.patient import Patient
from dvc_bucket.jobs.doctor.repository import GitThere, dvc_options

#: Share one copy of the blocks. Source: Linux, include/uapi/linux/fs.h, FICLONE.
FICLONE = 0x40049409

#: Bytes of changed objects that are read at once; more is left to `bucket verify --cache`.
READ_BYTES = 64 * 1024 * 1024


class CacheLinks(Check):
    """How DVC brings files from its cache into the workspace."""

    name = "cache links"
    why = "Where DVC copies, every file takes its space twice and its time too."
    fix = "Set `dvc config cache.type reflink,hardlink,symlink,copy`."

    @staticmethod
    def check(patient: Patient) -> str:
        """Try the configured link types in their order, from the cache to the workspace."""
        own = config.read(patient.project.dvc_config_local).get("cache", {})
        is_protected = os.geteuid() == 0 and own.get("type") == ",".join(config.ROOT_LINKS)
        wanted = config.link_types(patient.project, tracked_only=is_protected)
        cache = _folder(patient)
        cache.mkdir(parents=True, exist_ok=True)
        for kind in wanted:
            if kind == "copy":
                break
            if _links(kind, cache, patient.project.root):
                if is_protected and kind not in config.ROOT_LINKS:
                    return "copies, as root writes through links into the cache"
                return f"{kind}: one copy on disk"
        raise Warn(f"DVC copies: none of {', '.join(wanted)} works from {cache} to the workspace")


class RootWritesThrough(Check):
    """No output is a link through which root changes the cache."""

    name = "links of root"
    why = "Root writes through a link into the cache and changes an old version of the data."
    fix = "`dvc checkout --relink`"
    needs = (GitThere,)

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
            raise Warn(f"{path} is a link to DVC's cache")
        return "none"


class CacheContents(Check):
    """The cache's objects are what their names promise."""

    name = "cache contents"
    why = "DVC trusts its cache: a changed object comes back as the old version of the data."
    fix = "`bucket verify --cache` names the objects and says how to restore them."

    @staticmethod
    def check(patient: Patient) -> str:
        """Read the objects that changed since they were last read, if that is not much."""
        cache = LocalCache(patient.project, _folder(patient))
        names = cache.names()
        left = cache.unread(names)
        if sum(left.values()) > READ_BYTES:
            size = readable_size(sum(left.values()))
            return f"{len(left):,} objects ({size}) are not read yet: bucket verify --cache"
        if bad := left.keys() - cache.sound(left):
            raise Warn(f"{len(bad):,} of {len(names):,} objects are damaged")
        return f"{len(names):,} objects, all right"


ALL = (CacheLinks, RootWritesThrough, CacheContents)


def _folder(patient: Patient) -> Path:
    return patient.project.dvc_config.parent / dvc_options(patient, "cache").get("dir", "cache")


def _linked(patient: Patient) -> Iterator[str]:
    """Files of outputs that are links to the cache, by path from the project's root."""
    cache = _folder(patient).resolve()
    try:
        with opened(patient.project) as repo:
            places = [Path(out.fs_path) for _, out in outputs(repo) if out.protocol == "local"]
    except (ProjectError, SettingsError):
        raise Skip("DVC cannot read the project") from None
    objects: set[tuple[int, int]] | None = None
    for place in places:
        for path in [place, *place.rglob("*")]:
            if path.is_symlink():
                is_link = path.resolve().is_relative_to(cache)
            elif path.is_file() and (look := path.stat()).st_nlink > 1:
                objects = _inodes(cache) if objects is None else objects
                is_link = (look.st_dev, look.st_ino) in objects
            else:
                continue
            if is_link:
                yield path.relative_to(patient.project.root).as_posix()


def _inodes(cache: Path) -> set[tuple[int, int]]:
    looks = (path.lstat() for path in cache.rglob("*"))
    return {(look.st_dev, look.st_ino) for look in looks if stat.S_ISREG(look.st_mode)}


def _links(kind: str, cache: Path, workspace: Path) -> bool:
    """Whether a file of the cache can be linked into the workspace in this way."""
    with _temporary(cache) as source, _temporary(workspace) as folder:
        (source / "file").write_bytes(b"x")
        target = folder / "file"
        try:
            if kind == "reflink":
                with (source / "file").open("rb") as file, target.open("wb") as copy:
                    fcntl.ioctl(copy, FICLONE, file.fileno())
            elif kind == "hardlink":
                target.hardlink_to(source / "file")
            else:
                target.symlink_to(source / "file")
        except OSError:
            return False
        return True


@contextlib.contextmanager
def _temporary(parent: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=parent, prefix=".doctor-") as folder:
        yield Path(folder)
