"""Uploads of `bucket cp`: an existing object is replaced only with `--force`.

Before anything is sent, the store is asked for every key. A small file is then put only if there
is still no such key, where the store honours that; S3 has no such request for a file in parts.
"""

import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from pathlib import Path
from urllib.parse import urlsplit

from dvc_bucket.base import safe_paths
from dvc_bucket.base.errors import MissingObjectError, OutputError, SettingsError, UnsafePathError
from dvc_bucket.base.files import files_below
from dvc_bucket.base.paths import Project
from dvc_bucket.base.progress import Progress, silent
from dvc_bucket.connection import dvc_config as config
from dvc_bucket.connection.objects import ObjectRef
from dvc_bucket.connection.retries import interruptible
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc import hashes as dvc_hashes
from dvc_bucket.read import bringing
from dvc_bucket.read.bringing import Copied
from dvc_bucket.read.bucket_objects import S3
from dvc_bucket.read.copying import distinct, is_name, same_name, select
from dvc_bucket.transfer.errors import naming_failures
from dvc_bucket.transfer.single import SHA256_METADATA, file_sha256

#: A file up to this size goes in one request, which can ask for the key to be new.
WHOLE_BYTES = 8 * 1024 * 1024

#: Keys of DVC and of Git LFS, below any prefix: caches, run caches, and caches of DVC 2.
OF_DVC = re.compile(
    r"(?:^|/)(?:files/md5/|runs/[0-9a-f]{2}/|lfs/[0-9a-f]{2}/[0-9a-f]{2}/|[0-9a-f]{2}/[0-9a-f]{30})"
)

#: What stores say that do not know the request for a new key.
UNKNOWN_REQUEST = re.compile(r"status code: 501\b")

#: Requests that are under way at a time.
REQUESTS = 16


@dataclass(frozen=True)
class Sent:
    """A file and the object that it is to be."""

    file: Path
    place: ObjectRef
    settings: Settings

    def state(self) -> str:
        """State of the object: `absent`, `same` content, or `other` content."""
        try:
            with naming_failures(f"look up {self.place.url}", self.settings):
                answer = self.place.store.get(self.place.key, options={"head": True})
        except MissingObjectError:
            return "absent"
        if answer.meta["size"] != self.file.stat().st_size:
            return "other"
        if noted := answer.attributes.get(SHA256_METADATA):
            return "same" if noted == file_sha256(self.file) else "other"
        tag = (answer.meta["e_tag"] or "").strip('"')
        return "same" if tag == dvc_hashes.of_file(self.file) else "other"

    def put(self, *, force: bool) -> None:
        """Send the file.

        Raises:
            OutputError: another program has just made the object.
            TransferError: the store refused or could not be reached.
        """
        from obstore.exceptions import AlreadyExistsError, BaseError, NotSupportedError

        is_small = self.file.stat().st_size <= WHOLE_BYTES
        put = partial(
            self.place.store.put,
            self.place.key,
            self.file,
            attributes={SHA256_METADATA: file_sha256(self.file)},
        )
        if force or not is_small:
            put()
            return
        try:
            put(mode="create")
        except AlreadyExistsError:
            # A request that was tried again finds its own object.
            if self.state() != "same":
                raise _exists([self.place.url]) from None
        except BaseError as error:
            if not isinstance(error, NotSupportedError) and not UNKNOWN_REQUEST.search(str(error)):
                raise
            put()


def send(
    sources: Sequence[str | Path],
    to: str,
    rev: str | None = None,
    remote: str | None = None,
    *,
    parents: bool = False,
    force: bool = False,
    progress: Progress = silent,
) -> Copied:
    """Copy files, tracked data or objects to `s3://bucket/prefix/`: see `copying.copy_to`.

    What is not on this disk passes through a temporary folder.
    """
    project = Project.find()
    bucket, _, prefix = to.removeprefix(S3).partition("/")
    if not bucket:
        raise SettingsError(f"{to} names no bucket. Write s3://bucket/prefix/.")
    settings = Settings.load(project).model_copy(update={"bucket_name": bucket})
    settings.check_may_write(f"A copy to {to}")
    store = settings.obstore()
    with tempfile.TemporaryDirectory(prefix="bucket-cp-") as folder:
        gathered = [
            _local(project.root / source, project, parents=parents)
            if _is_local(project, source, rev)
            else _fetched(source, Path(folder, str(turn)), rev, remote, parents=parents)
            for turn, source in enumerate(sources)
        ]
        kinds = [is_file for _, is_file in gathered]
        is_key = is_name(kinds, to, is_folder=not prefix, parents=parents)
        keys = _keys((files for files, _ in gathered), prefix, is_key=is_key)
        _check(keys, bucket, project)
        wanted = [
            Sent(file, ObjectRef.of(settings, key, store), settings) for key, file in keys.items()
        ]
        missing = _missing(wanted, force=force)
        with naming_failures(f"upload to {to}", settings):
            size = _put_all(missing, progress, force=force)
    return Copied(to, len(wanted), len(missing), size)


#: Files of a source on this disk, by their path below the destination; whether it names one file.
Gathered = tuple[Mapping[str, Path], bool]


def _is_local(project: Project, source: str | Path, rev: str | None) -> bool:
    return not rev and not str(source).startswith(S3) and (project.root / source).exists()


def _local(path: Path, project: Project, *, parents: bool) -> Gathered:
    """A file or folder of this disk.

    Raises:
        OutputError: something in it is neither a file nor a folder.
        UnsafePathError: it holds credentials of the project.
    """
    path = Path(os.path.normpath(path))
    kept = path.parent
    if parents:
        kept = project.root if path.is_relative_to(project.root) else Path(path.anchor)
    files = sorted(files_below(path)) if path.is_dir() else [path]
    for file in files:
        if not file.is_file():
            raise OutputError(
                f"{file} is neither a file nor a link to one, so it cannot be uploaded."
            )
        if project.is_private(file):
            raise UnsafePathError(
                f"{file} can contain credentials, so it is never uploaded. Name the files to copy."
            )
    return {file.relative_to(kept).as_posix(): file for file in files}, path.is_file()


def _fetched(
    source: str | Path, folder: Path, rev: str | None, remote: str | None, *, parents: bool
) -> Gathered:
    """What is in the bucket, brought to a folder.

    Raises:
        BucketError: as `copying.select` and `bringing.bring`.
    """
    selection = select(source, folder, rev, remote, parents=parents)
    items = distinct([selection])
    bringing.bring(folder, items, silent)
    files = {item.target.relative_to(folder).as_posix(): item.target for item in items}
    return files, selection.is_file


def _keys(sources: Iterable[Mapping[str, Path]], prefix: str, *, is_key: bool) -> dict[str, Path]:
    """The files by their keys.

    Raises:
        OutputError: two would have the same.
    """
    keys: dict[str, Path] = {}
    for name, file in (pair for files in sources for pair in files.items()):
        key = prefix if is_key else f"{prefix.rstrip('/')}/{name}".lstrip("/")
        if keys.setdefault(key, file) != file:
            raise same_name(name)
    return keys


def _check(keys: Iterable[str], bucket: str, project: Project) -> None:
    """Refuse keys that are DVC's, or that cannot be keys.

    Raises:
        OutputError: one is below a remote of DVC, or looks as DVC's and Git LFS's do.
        UnsafePathError: one has parts that no client takes as they are.
    """
    prefixes = list(_remotes(bucket, project))
    for key in keys:
        safe_paths.check(key)
        if not key.isprintable():
            raise UnsafePathError(f"The key {key!r} has unprintable characters.")
        of_remote = next((prefix for prefix in prefixes if key.startswith(f"{prefix}/")), None)
        if of_remote or OF_DVC.search(key):
            where = f"s3://{bucket}/{of_remote}" if of_remote else "files/md5, runs or lfs"
            raise OutputError(
                f"s3://{bucket}/{key} would lie among DVC's own objects ({where}), where `bucket "
                "cp` never writes. Choose another prefix, or use `bucket add` and `bucket push`."
            )


def _remotes(bucket: str, project: Project) -> Iterator[str]:
    """Prefixes of this project's remotes in a bucket; none of a remote that is all of it."""
    for path in (project.dvc_config, project.dvc_config_local):
        for name, section in config.read(path).items():
            url = urlsplit(str(section.get("url", ""))) if "remote" in name else urlsplit("")
            if (url.scheme, url.netloc) == ("s3", bucket) and (prefix := url.path.strip("/")):
                yield prefix


def _missing(wanted: Sequence[Sent], *, force: bool) -> list[Sent]:
    """The files whose objects are missing or have other content.

    Raises:
        OutputError: an object with other content is there, and `force` is not given.
        TransferError: the store refused or could not be reached.
    """
    with ThreadPoolExecutor(REQUESTS) as pool, interruptible():
        states = list(pool.map(Sent.state, wanted))
    results = list(zip(wanted, states, strict=True))
    others = [sent.place.url for sent, state in results if state == "other"]
    if others and not force:
        raise _exists(others)
    return [sent for sent, state in results if state != "same"]


def _put_all(missing: Sequence[Sent], progress: Progress, *, force: bool) -> int:
    """Send files; the sum of their sizes."""
    sizes = [upload.file.stat().st_size for upload in missing]
    with ThreadPoolExecutor(REQUESTS) as pool, interruptible():
        puts = pool.map(lambda upload: upload.put(force=force), missing)
        for _, sent in zip(puts, accumulate(sizes), strict=True):
            progress(sent, sum(sizes))
    return sum(sizes)


def _exists(urls: Sequence[str]) -> OutputError:
    more = f" and {len(urls) - 1:,} more exist" if urls[1:] else " exists"
    return OutputError(
        f"{urls[0]}{more} with different content. Nothing was replaced. Choose another prefix, or "
        "add --force to replace it."
    )
