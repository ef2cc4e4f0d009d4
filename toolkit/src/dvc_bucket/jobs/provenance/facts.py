"""All facts that a crate states: the commit, its papers, and the data that the crate holds.

Data comes from DVC's cache, or else from the bucket.
"""

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING

from dvc_bucket.base import safe_paths
from dvc_bucket.base.errors import ChecksumError
from dvc_bucket.base.formats import is_code
from dvc_bucket.dvc.commit_view import CommitView
from dvc_bucket.dvc.snapshot import PathRecord, StageRun
from dvc_bucket.jobs.provenance.papers import Papers

if TYPE_CHECKING:
    from dvc_bucket.read.tracked import TrackedData

PIECE_BYTES = 1024 * 1024

#: MD5, SHA-256 and size of a content, as properties of an entity.
Digest = dict[str, str]


def digest(content: IO[bytes]) -> Digest:
    """The digest of a file."""
    md5, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    while piece := content.read(PIECE_BYTES):
        md5.update(piece)
        sha256.update(piece)
        size += len(piece)
    return {"md5": md5.hexdigest(), "sha256": sha256.hexdigest(), "contentSize": str(size)}


@dataclass(frozen=True)
class Facts:
    """The facts of a commit.

    Attributes:
        commit: its files, stages and data.
        papers: its citation, licences and environment.
        included: files of DVC's data that the crate holds, by path.
    """

    commit: CommitView
    papers: Papers
    included: Mapping[str, Digest]

    @property
    def runs(self) -> list[StageRun]:
        """The last run of each stage, after those whose outputs it reads."""
        return self.commit.snapshot.runs

    def script(self, run: StageRun) -> PathRecord | None:
        """The program of a stage: the first code file among its inputs that its command names."""
        words = run.command.split()
        named = [record for record in run.reads if record.path in words and self._is_code(record)]
        return min(named, key=lambda record: words.index(record.path), default=None)

    def _is_code(self, record: PathRecord) -> bool:
        file = self.commit.revision.files.get(record.path)
        is_program = file is not None and file.is_executable
        return self.commit.output(record.path) is None and (is_program or is_code(record.path))

    def is_here(self, record: PathRecord) -> bool:
        """Whether the crate holds the content, from git or from DVC."""
        return self.commit.is_in_git(record) or bool(self._included(record))

    def files(self, record: PathRecord) -> dict[str, Digest]:
        """The files of a content that the crate holds, by path."""
        if self.commit.is_in_git(record):
            paths = self.commit.revision.below(record.path) or [record.path]
            return {path: self.digest(path) for path in paths}
        return self._included(record)

    def _included(self, record: PathRecord) -> dict[str, Digest]:
        """The files of a content that the crate holds from DVC."""
        files = sorted(self.included.items())
        if record.is_directory:
            return {path: content for path, content in files if path.startswith(f"{record.path}/")}
        content = self.included.get(record.path)
        return {record.path: content} if content and content["md5"] == record.hash else {}

    def digest(self, path: str) -> Digest:
        """The digest of a file of the commit."""
        return digest(BytesIO(self.commit.revision.read(path)))

    def link(self, path: str) -> str:
        """Where the forge shows a file of the commit; empty if its addresses are not known."""
        repository, commit = self.papers.repository, self.commit.commit
        if repository.startswith("https://github.com/"):
            return f"{repository}/blob/{commit}/{path}"
        if repository.startswith("https://gitlab."):
            return f"{repository}/-/blob/{commit}/{path}"
        return ""

    def notes(self) -> list[str]:
        """Where the record does not fit the commit, a sentence each."""
        return [note for run in self.runs for note in self._notes(run)]

    def _notes(self, run: StageRun) -> Iterator[str]:
        records = dict.fromkeys([*run.reads, *run.writes])
        if changed := [record.path for record in records if self.commit.has_changed(record)]:
            yield (
                f"The content of {', '.join(changed)} in this commit differs from the content in "
                f"the last run of the stage {run.name}."
            )
        for record in run.reads:
            maker = self.commit.makers.get(record.path)
            if maker and record not in maker.writes:
                yield (
                    f"The last run of the stage {run.name} used a {record.path} that differs from "
                    f"the last output of the stage {maker.name}."
                )


def included(commit: str, paths: Sequence[str], folder: Path) -> dict[str, Digest]:
    """Bring what DVC tracks at or below `paths` into a folder; the digests, by path.

    Raises:
        BucketError: as `tree.find` and `copying.copy_to`.
        ChecksumError: a copy in the cache is damaged.
    """
    from dvc_bucket.dvc.remote import ids
    from dvc_bucket.read import tree

    digests = {}
    for path in paths:
        data = tree.find(path, commit)
        _bring(data, folder)
        for file in data.files:
            with (folder / file.path).open("rb") as content:
                digests[file.path] = digest(content)
            is_right = digests[file.path]["md5"] == ids.md5(file.name)
            if not is_right and not ids.is_legacy(file.name):
                raise ChecksumError(
                    f"The copy of {file.path} in {data.cached(file)} is damaged. Delete it and run "
                    "the command again, which downloads it from the bucket."
                )
    return digests


def _bring(data: "TrackedData", folder: Path) -> None:
    """Copy files from the cache, and fetch the others."""
    from dvc_bucket.base.progress import bar
    from dvc_bucket.read import bringing, copying

    targets = {file: safe_paths.below(folder, file.path) for file in data.files}
    absent = [file for file in data.files if not data.cached(file).is_file()]
    for file in data.files:
        if file not in absent:
            targets[file].parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(data.cached(file), targets[file])
    if absent:
        items = copying.items_of(replace(data, files=absent), folder)
        with bar() as progress:
            bringing.bring(folder, items, progress)
