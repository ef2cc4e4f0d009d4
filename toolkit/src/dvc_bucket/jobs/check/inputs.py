"""Undeclared inputs as causes: files with other contents, of earlier commits or altered."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.snapshot import Stage
from dvc_bucket.git.contents import git
from dvc_bucket.jobs.check.experiments import Contents, Lab
from dvc_bucket.jobs.check.findings import OutputResult
from dvc_bucket.jobs.check.outputs import ITSELF
from dvc_bucket.jobs.check.variations import Variation

#: Files that are tried, earlier contents of each, and the size up to which one is altered.
MAX_FILES = 5
MAX_CONTENTS = 3
MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class Inputs:
    """Files of the project that a stage reads and does not declare.

    Attributes:
        lab: runs the stage.
        stage: the one.
        paths: of the files.
        fixed: conditions of the runs.
        made: by the stage under these conditions.
    """

    lab: Lab
    stage: Stage
    paths: Sequence[str]
    fixed: Variation
    made: Contents

    def causes(self, outputs: Sequence[OutputResult]) -> Iterator[tuple[str, str]]:
        """Each file whose content changes the bytes, with a sentence about it.

        Args:
            outputs: of the stage.
        """
        recorded = {
            one.path: one.expected
            for one in outputs
            if one.against == "dvc.lock" and one.verdict == "differs"
        }
        for path in self.paths[:MAX_FILES]:
            named = f"The cause is {path}, which {self.stage.name} reads and does not declare"
            commits = self._commits(path)
            if commit := next((one for one in commits if self._makes(path, one, recorded)), None):
                text = (
                    f"{named}: with its content in {commit[:7]}, the stage writes what "
                    "dvc.lock records."
                )
                yield path, text
            elif self._altered_differs(path):
                yield path, f"{named}: a different content gives different bytes."

    def _commits(self, path: str) -> list[str]:
        """The commits before the last one in which a file was changed, newest first."""
        with suppress(ProjectError):
            said = git(self.lab.run.clone.root, "log", "--format=%H", "--", path)
            return said.decode().split()[1 : 1 + MAX_CONTENTS]
        return []

    def _makes(self, path: str, commit: str, recorded: dict[str, str | None]) -> bool:
        """Whether the stage makes what is recorded with a file of another commit."""
        try:
            content = git(self.lab.run.clone.root, "show", f"{commit}:./{path}")
        except ProjectError:  # it was not there
            return False
        with self._holding(path, content):
            made = self.lab.make(self.stage, self.fixed)
        found = {
            out.path: ids.oid(files[ITSELF])
            for out, files in zip(self.stage.outs, made or (), strict=False)
            if ITSELF in files
        }
        return bool(recorded) and all(found.get(out) == oid for out, oid in recorded.items())

    def _altered_differs(self, path: str) -> bool:
        """Whether the stage makes other bytes of a changed file, and the same of the file again."""
        file = self.lab.run.clone.root / path
        if path.endswith(".py") or not file.is_file() or file.stat().st_size > MAX_BYTES:
            return False
        with self._holding(path, altered(file.read_bytes())):
            made = self.lab.make(self.stage, self.fixed)
        is_other = made is not None and made != self.made
        return is_other and self.lab.make(self.stage, self.fixed) == self.made

    @contextmanager
    def _holding(self, path: str, content: bytes) -> Iterator[None]:
        """A file of the clone with another content, until the block ends."""
        file = self.lab.run.clone.root / path
        before = file.read_bytes()
        _replace(file, content)
        try:
            yield
        finally:
            _replace(file, before)


def altered(content: bytes) -> bytes:
    """A content of the same form with other digits, or without digits with other letters."""
    digits = bytes.maketrans(b"0123456789", b"1234567890")
    return content.translate(digits) if re.search(rb"\d", content) else content.swapcase()


def _replace(file: Path, content: bytes) -> None:
    """Write a file in the place of a link, or of one whose content the cache shares."""
    file.unlink()
    file.write_bytes(content)
