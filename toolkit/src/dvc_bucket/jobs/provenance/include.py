"""Data that is to be in the crate itself: from DVC's cache, or else from the bucket."""

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from dvc_bucket.base import safe_paths
from dvc_bucket.base.errors import ChecksumError
from dvc_bucket.dvc import hashes as dvc_hashes
from dvc_bucket.jobs.provenance.facts import Hashes


def fetch(commit: str, paths: Sequence[str], folder: Path) -> dict[str, Hashes]:
    """Bring what DVC tracks at or below `paths` into a folder; the hashes, by path.

    Raises:
        BucketError: as `tracked.find` and `copying.copy_to`.
    """
    return {path: hashes for asked in paths for path, hashes in _fetch(commit, asked, folder)}


def _fetch(commit: str, asked: str, folder: Path) -> Iterator[tuple[str, Hashes]]:
    from dvc_bucket.base.progress import bar
    from dvc_bucket.dvc.remote import ids
    from dvc_bucket.read import bringing, copying, tracked

    found = tracked.find(asked, commit)
    targets = {file.path: safe_paths.below(folder, file.path) for file in found.files}
    absent = []
    for file in found.files:
        target, cached = targets[file.path], found.cached(file)
        if not cached.is_file():
            absent.append(file)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(cached, target)
    if absent:
        with bar() as progress:
            items = copying.items_of(replace(found, files=absent), folder)
            bringing.fetch(folder, items, progress)
    for file in found.files:
        hashes = _hashes(targets[file.path])
        if not ids.is_legacy(file.name) and hashes.md5 != ids.md5(file.name):
            raise ChecksumError(
                f"The copy of {file.path} in {found.cached(file)} is damaged. Delete it, then run "
                "the command again: it is fetched from the bucket."
            )
        yield file.path, hashes


def _hashes(path: Path) -> Hashes:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Hashes(dvc_hashes.of_file(path), sha256, path.stat().st_size)
