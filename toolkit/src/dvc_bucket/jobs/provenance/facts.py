"""All that a crate is made from."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dvc_bucket.base.formats import is_code
from dvc_bucket.dvc import hashes as dvc_hashes
from dvc_bucket.dvc.commit.locations import Places
from dvc_bucket.dvc.commit.revision import Revision
from dvc_bucket.dvc.commit.run import Run
from dvc_bucket.dvc.snapshot import PathRecord, StageRun
from dvc_bucket.jobs.provenance.papers import Papers


@dataclass(frozen=True)
class Hashes:
    """A file's content in short.

    Attributes:
        md5: hexadecimal.
        sha256: hexadecimal.
        size: in bytes.
    """

    md5: str
    sha256: str
    size: int

    @classmethod
    def of(cls, content: bytes) -> "Hashes":
        """The hashes of bytes."""
        return cls(dvc_hashes.of_bytes(content), hashlib.sha256(content).hexdigest(), len(content))


@dataclass(frozen=True)
class Facts:
    """What is known of a commit.

    Attributes:
        revision: the commit.
        run: the runs that its lock files record.
        papers: what its papers say.
        places: where the data is.
        included: what the crate holds of DVC's data, by path.
    """

    revision: Revision
    run: Run
    papers: Papers
    places: Places
    included: Mapping[str, Hashes]

    def script(self, stage: StageRun) -> PathRecord | None:
        """The program of a stage: the first of its inputs on the command line that is code."""
        words = stage.command.split()
        named = [item for item in stage.reads if item.path in words and self._is_code(item)]
        return min(named, key=lambda item: words.index(item.path), default=None)

    def _is_code(self, item: PathRecord) -> bool:
        file = self.revision.files.get(item.path)
        is_program = file is not None and file.is_executable
        is_output = self.run.output(item.path) is not None
        return not is_output and (is_program or is_code(item.path))

    def is_included(self, item: PathRecord) -> bool:
        """Whether the crate holds a copy of DVC's."""
        if not item.is_directory:
            return item.path in self.included and self.included[item.path].md5 == item.hash
        return any(path.startswith(f"{item.path}/") for path in self.included)

    def is_here(self, item: PathRecord) -> bool:
        """Whether the crate holds the item, from git or from DVC."""
        return self.places.is_in_git(item) or self.is_included(item)

    def members(self, item: PathRecord) -> dict[str, Hashes]:
        """The files of a directory that the crate holds, by path."""
        folder = f"{item.path}/"
        if self.places.is_in_git(item):
            inside = sorted(path for path in self.revision.files if path.startswith(folder))
            return {path: Hashes.of(self.revision.read(path)) for path in inside}
        return {
            path: found for path, found in sorted(self.included.items()) if path.startswith(folder)
        }

    def link(self, path: str) -> str:
        """Where the forge shows a file of the commit; empty where its addresses are not known."""
        repository, commit = self.papers.repository, self.revision.commit
        if repository.startswith("https://github.com/"):
            return f"{repository}/blob/{commit}/{path}"
        if repository.startswith("https://gitlab."):
            return f"{repository}/-/blob/{commit}/{path}"
        return ""

    def notes(self) -> list[str]:
        """Where the record does not fit the commit, a sentence each."""
        return [note for stage in self.run.stages for note in self._notes(stage)]

    def _notes(self, stage: StageRun) -> Iterator[str]:
        items = dict.fromkeys([*stage.reads, *stage.writes])
        if changed := [item.path for item in items if self.places.has_changed(item)]:
            yield (
                f"The stage {stage.name} was last run with another content of "
                f"{', '.join(changed)} than this commit has."
            )
        for item in stage.reads:
            maker = self.run.makers.get(item.path)
            if maker and item not in maker.writes:
                yield (
                    f"The stage {stage.name} was last run with another {item.path} than the stage "
                    f"{maker.name} wrote last."
                )
