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
    sources, targets = ([path] if isinstance(path, str) else path for path in (from_path, to_path))
    downloads = isinstance(from_fs, FastS3FileSystem) and isinstance(to_fs, LocalFileSystem)
    uploads = isinstance(to_fs, FastS3FileSystem) and isinstance(from_fs, LocalFileSystem)
    remote: Any = from_fs if downloads else to_fs if uploads else None
    keys = sources if downloads else targets
    places: list[ObjectRef | None] = [remote.place(key) if remote else None for key in keys]
    jobs = list(zip(places, sources, targets, strict=True))
    if slow := [pair for place, *pair in jobs if place is None]:
        ours, theirs = map(list, zip(*slow, strict=True))
        options: Any = {"callback": callback, "batch_size": batch_size, "on_error": on_error}
        install.dvc_copy(from_fs, ours, to_fs, theirs, **options)
    if fast := [(place, source, target) for place, source, target in jobs if place]:
        with shown_by_dvc():
            _move(
                fast,
                remote.list_at_hand if downloads else None,
                threads_of(remote, batch_size),
                callback.relative_update,
                _teller(on_error),
            )
    if uploads:
        remote.forget_listings()


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
    at_hand: Callable[[ObjectRef], bytes | None] | None,
    threads: int | None,
    progress: Callable[[int], None],
    failed: Callable[[Job, BaseException], None],
) -> None:
    """Upload objects; or download them, but for those that are at hand."""
    from dvc_bucket.transfer.download import Download
    from dvc_bucket.transfer.upload import Upload

    with Unfinished() as unfinished:
        upload, download = Upload(), Download(unfinished)

        def fetch(job: Job) -> None:
            download(job[0], job[2], body=at_hand(job[0]) if at_hand else None)

        def send(job: Job) -> None:
            upload(job[0], job[1])

        if at_hand:
            unfinished.prepare([target for _, _, target in jobs])
        pool = Pool[Job](
            fetch if at_hand else send,
            threads,
            lambda: min(download.answer_seconds, upload.answer_seconds),
            jobs[0][0].store.retries.answer_seconds,
        )
        pool.run(jobs, progress, failed)


def _teller(on_error: OnError | None) -> Callable[[Job, BaseException], None]:
    """Tell DVC of a failure in the way it asked for; without one, raise it."""

    def failed(job: Job, error: BaseException) -> None:
        if on_error is None:
            raise error
        on_error(job[1], job[2], for_dvc(error))

    return failed
