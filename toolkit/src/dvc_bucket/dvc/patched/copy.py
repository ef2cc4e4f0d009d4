"""In the place of DVC's function that moves many files: between an S3 remote and this machine."""

from collections.abc import Callable, Sequence
from typing import Any

from dvc_objects.fs.base import FileSystem
from dvc_objects.fs.local import LocalFileSystem
from fsspec.callbacks import DEFAULT_CALLBACK

from dvc_bucket.connection.objects import ObjectRef
from dvc_bucket.dvc.patched import install
from dvc_bucket.dvc.patched.errors import for_dvc, shown_by_dvc
from dvc_bucket.dvc.patched.s3 import FastS3FileSystem
from dvc_bucket.transfer.files import Unfinished
from dvc_bucket.transfer.pool import Pool

#: What DVC wants called for a file that could not be moved.
OnError = Callable[[str, str, BaseException], None]


def copy(
    from_fs: FileSystem,
    from_path: str | list[str],
    to_fs: FileSystem,
    to_path: str | list[str],
    callback: Any = DEFAULT_CALLBACK,
    batch_size: int | None = None,
    on_error: OnError | None = None,
) -> None:
    """Move files, as DVC's `copy` of the same arguments does.

    What is neither from S3 to here nor from here to S3, or cannot go the fast way, is DVC's.
    """
    sources = [from_path] if isinstance(from_path, str) else from_path
    targets = [to_path] if isinstance(to_path, str) else to_path
    options: dict[str, Any] = {
        "callback": callback,
        "batch_size": batch_size,
        "on_error": on_error,
    }
    downloads = isinstance(from_fs, FastS3FileSystem) and isinstance(to_fs, LocalFileSystem)
    uploads = isinstance(to_fs, FastS3FileSystem) and isinstance(from_fs, LocalFileSystem)
    if not (downloads or uploads):
        return install.dvc_copy(from_fs, from_path, to_fs, to_path, **options)
    remote: Any = from_fs if downloads else to_fs
    places = [remote.place(path) for path in (sources if downloads else targets)]
    slow = [index for index, place in enumerate(places) if place is None]
    if slow:
        install.dvc_copy(
            from_fs,
            [sources[index] for index in slow],
            to_fs,
            [targets[index] for index in slow],
            **options,
        )
    fast = [
        (place, *pair)
        for place, *pair in zip(places, sources, targets, strict=True)
        if place is not None
    ]
    if fast:
        with shown_by_dvc():
            _move(
                fast,
                downloads,
                threads_of(remote, batch_size),
                callback.relative_update,
                _teller(on_error),
            )
    if uploads:
        remote.forget_listings()
    return None


#: An object, and the two paths as DVC gave them.
Job = tuple[ObjectRef, str, str]


def threads_of(remote: FastS3FileSystem, batch_size: int | None) -> int | None:
    """How many threads somebody asked for, with `-j` or the remote's option `jobs`; else None.

    DVC fills in a default of its own, which is not what anybody asked for.
    """
    configured: int | None = remote.config.get("jobs")
    if batch_size is None or batch_size == FileSystem._JOBS:
        return configured
    return batch_size


def _move(
    jobs: Sequence[Job],
    downloads: bool,
    threads: int | None,
    progress: Callable[[int], None],
    failed: Callable[[Job, BaseException], None],
) -> None:
    """Download or upload objects in threads."""
    from dvc_bucket.transfer.download import Download
    from dvc_bucket.transfer.upload import Upload

    with Unfinished() as unfinished:
        if downloads:
            unfinished.prepare([target for _, _, target in jobs])
            download = Download(unfinished)
            pool = Pool[Job](
                lambda job: download(job[0], job[2]), threads, lambda: download.answer_seconds
            )
        else:
            upload = Upload()
            pool = Pool[Job](
                lambda job: upload(job[1], job[0]), threads, lambda: upload.answer_seconds
            )
        pool.run(jobs, progress, failed)


def _teller(on_error: OnError | None) -> Callable[[Job, BaseException], None]:
    """Tell DVC of a failure in the way it asked for; without one, raise it."""

    def failed(job: Job, error: BaseException) -> None:
        if on_error is None:
            raise error
        on_error(job[1], job[2], for_dvc(error))

    return failed
