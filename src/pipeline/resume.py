"""A folder of one file a partition, with which an interrupted stage goes on when it runs again."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.recipe import Recipe, file_digest
from pipeline.tables import remove


class HasOutput(Protocol):
    """A partition that becomes a Parquet file."""

    @property
    def output(self) -> Path:
        """The file."""


Some = TypeVar("Some", bound=HasOutput)


@dataclass
class Kept:
    """The folder while it is made.

    Each file has in its name a hash of all that it depends on, so one that was made from anything
    else is never taken for it.

    Attributes:
        folder: where the files are until all are there.
        settings: the parameters that they are made with; whatever prints as what it is.
        recipe: what they are made by.
        names: the files of this run, and what they are called at the end.
    """

    folder: Path
    settings: object
    recipe: Recipe
    names: dict[Path, str] = field(default_factory=dict)
    _digests: dict[Path, str] = field(default_factory=dict)

    def file(self, name: str, inputs: Sequence[Path]) -> Path:
        """Where a partition's file is to be written.

        Args:
            name: of the file at the end.
            inputs: the files that it is made from.
        """
        for path in inputs:
            if path not in self._digests:
                self._digests[path] = file_digest(path)
        digest = self.recipe.digest(repr(self.settings), *(self._digests[path] for path in inputs))
        self.folder.mkdir(parents=True, exist_ok=True)
        found = self.folder / f"{digest[:16]}-{name}"
        self.names[found] = name
        return found

    def settle(self) -> None:
        """Give the files their names, and remove what is left of other runs."""
        for file in self.folder.iterdir():
            if file not in self.names:
                remove(file)
        for file, name in self.names.items():
            file.replace(self.folder / name)


@contextmanager
def resumable(output: Path, settings: object) -> Iterator[Kept]:
    """A folder beside `output`, renamed to it if the block succeeds.

    If it does not, the files that are in it are there again the next time. DVC removes a stage's
    outputs before it runs, and leaves this folder alone.

    Args:
        output: the folder that is made.
        settings: the parameters that its files are made with.
    """
    folder = output.with_name(f".{output.name}.part")
    kept = Kept(folder, settings, Recipe.here())
    try:
        yield kept
    except BaseException:
        with suppress(OSError):
            folder.rmdir()  # if nothing is in it
        raise
    kept.settle()
    remove(output)
    folder.replace(output)


def unfinished(partitions: Mapping[str, Some]) -> dict[str, Some]:
    """The partitions whose file is not there, or is no whole Parquet file."""
    return {key: one for key, one in partitions.items() if not _is_whole(one.output)}


def _is_whole(file: Path) -> bool:
    try:
        pq.read_metadata(file)  # it is at the file's end
    except (OSError, pa.ArrowInvalid):
        return False
    return True
