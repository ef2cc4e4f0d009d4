"""A folder of one Parquet file for each partition, which a second run of the stage completes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from dvc_bucket.stages.outputs import remove
from dvc_bucket.stages.recipe import Recipe
from dvc_bucket.transfer.single import file_sha256


class HasOutput(Protocol):
    """A partition that becomes a Parquet file."""

    @property
    def output(self) -> Path:
        """The file."""


Partition = TypeVar("Partition", bound=HasOutput)


@dataclass
class ResumableFolder:
    """The folder of a stage's output while it is made; `resumable` gives it.

    The name of each file has a hash of all that the file depends on: the project's modules, the
    script, packages and kernels, the parameters and the inputs. So a file that was made from
    anything else is never taken for it.

    Attributes:
        folder: where the files are until all are there.
        settings: the parameters that they are made with; `repr` of it has all their values.
        recipe: what they are made by.
    """

    folder: Path
    settings: object
    recipe: Recipe
    _files: dict[str, Path] = field(default_factory=dict)
    _digests: dict[Path, str] = field(default_factory=dict)

    def file(self, name: str, inputs: Sequence[Path]) -> Path:
        """The path at which a partition's file is to be written.

        Args:
            name: of the file in the finished folder.
            inputs: the files that it is made from.

        Raises:
            ValueError: another partition has this name.
            FileNotFoundError: an input is missing.
        """
        if name in self._files:
            raise ValueError(f"two partitions have the same output file, {name}")
        for path in inputs:
            if path not in self._digests:
                self._digests[path] = file_sha256(path)
        digest = self.recipe.digest(repr(self.settings), *(self._digests[path] for path in inputs))
        self.folder.mkdir(parents=True, exist_ok=True)
        self._files[name] = self.folder / f"{digest[:16]}-{name}"
        return self._files[name]

    def settle(self) -> None:
        """Give the files their names, and remove what is left of other runs."""
        self.folder.mkdir(parents=True, exist_ok=True)  # of no partitions
        wanted = set(self._files.values())
        for path in self.folder.iterdir():
            if path not in wanted:
                remove(path)
        for name, path in self._files.items():
            path.replace(self.folder / name)


@contextmanager
def resumable(output: Path, settings: object) -> Iterator[ResumableFolder]:
    """A folder beside `output`, renamed to it if the block succeeds.

    If it does not, the files that are in it are there the next time, and `unfinished` leaves out
    their partitions. DVC removes a stage's outputs before it runs, and leaves this folder alone.

    Args:
        output: the folder that is made.
        settings: the parameters that its files are made with; `repr` of it has all their values, as
            that of `Params` has.

    Raises:
        ProjectError: the current folder is in no project.
    """
    files = ResumableFolder(output.with_name(f".{output.name}.part"), settings, Recipe.here())
    try:
        yield files
    except BaseException:  # Ctrl-C too: no empty folder stays
        with suppress(OSError):
            files.folder.rmdir()  # if nothing is in it
        raise
    files.settle()
    remove(output)
    files.folder.replace(output)


def unfinished(partitions: Mapping[str, Partition]) -> dict[str, Partition]:
    """The partitions whose file is not there, or is no whole Parquet file."""
    return {key: part for key, part in partitions.items() if not _is_whole(part.output)}


def _is_whole(file: Path) -> bool:
    try:
        pq.read_metadata(file)  # it is at the file's end
    except (OSError, pa.ArrowInvalid):
        return False
    return True
