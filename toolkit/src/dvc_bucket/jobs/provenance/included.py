"""Data that the crate holds itself: from DVC's cache, or else from the bucket."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dvc_bucket.base import safe_paths
from dvc_bucket.base.errors import ChecksumError
from dvc_bucket.jobs.provenance.facts import Digest, digest

if TYPE_CHECKING:
    from dvc_bucket.read.tracked import TrackedData


def fetch(commit: str, paths: Sequence[str], folder: Path) -> dict[str, Digest]:
    """Bring what DVC tracks at or below `paths` into a folder; the digests, by path.

    Raises:
        BucketError: as `tracked.find` and `copying.copy_to`.
        ChecksumError: a copy in the cache is damaged.
    """
    from dvc_bucket.dvc.remote import ids
    from dvc_bucket.read import tracked

    digests = {}
    for path in paths:
        found = tracked.find(path, commit)
        _bring(found, folder)
        for file in found.files:
            with (folder / file.path).open("rb") as content:
                digests[file.path] = digest(content)
            is_right = digests[file.path]["md5"] == ids.md5(file.name)
            if not is_right and not ids.is_legacy(file.name):
                raise ChecksumError(
                    f"The copy of {file.path} in {found.cached(file)} is damaged. Delete it, then "
                    "run the command again: it is fetched from the bucket."
                )
    return digests


def _bring(found: "TrackedData", folder: Path) -> None:
    """Copy files from the cache, and fetch the others."""
    from dvc_bucket.base.progress import bar
    from dvc_bucket.read import bringing, copying

    targets = {file: safe_paths.below(folder, file.path) for file in found.files}
    absent = [file for file in found.files if not found.cached(file).is_file()]
    for file in found.files:
        if file not in absent:
            targets[file].parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found.cached(file), targets[file])
    if absent:
        items = copying.items_of(replace(found, files=absent), folder)
        with bar() as progress:
            bringing.bring(folder, items, progress)
