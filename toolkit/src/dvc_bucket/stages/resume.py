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
    """The folder of a stage's output while it is written; `resumable` returns it.

    The name of each file contains a hash of everything that the file depends on: the project's
    modules, the script, packages and kernels, the parameters and the inputs. So a file from other
    inputs is never reused.

    Attributes:
        folder: the files until all of them exist.
        settings: the parameters of the stage; its `repr` contains all their values.
        recipe: the code, packages and kernels that write them.
    """

    folder: Path
    settings: object
    recipe: Recipe
    _files: dict[str, Path] = field(default_factory=dict)
    _digests: dict[Path, str] = field(default_factory=dict)

    def file(self, name: str, inputs: Sequence[Path]) -> Path:
        """The path for the file of a partition.

        Args:
            name: of the file in the finished folder.
            inputs: its input files.

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
        """Give the files their final names, and remove files of other runs."""
        self.folder.mkdir(parents=True, exist_ok=True)  # of no partitions
        wanted = set(self._files.values())
        for path in self.folder.iterdir():
            if path not in wanted:
                remove(path)
        for name, path in self._files.items():
            path.replace(self.folder / name)


@contextmanager
def resumable(output: Path, settings: object) -> Iterator[ResumableFolder]:
    """A folder beside `output`, renamed to `output` if the block succeeds.

    If it fails, the next run finds the files in it, and `unfinished` skips their partitions. DVC
    removes a stage's outputs before it runs, but not this folder.

    Args:
        output: the folder to write.
        settings: the parameters of the stage; its `repr` contains all their values, as for
            `Params`.

    Raises:
        ProjectError: the current folder is not in a project.
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
    """The partitions whose file is missing or is not a complete Parquet file."""
    return {key: part for key, part in partitions.items() if not _is_whole(part.output)}


def _is_whole(file: Path) -> bool:
    try:
        pq.read_metadata(file)  # it is at the file's end
    except (OSError, pa.ArrowInvalid):
        return False
    return True
