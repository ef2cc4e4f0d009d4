"""What DVC records of a path, of parameters and of a run; and reading of lock file entries."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dvc_bucket.dvc import hashes as dvc_hashes
from dvc_bucket.dvc.lock import entries
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.remote.outputs import LEGACY


@dataclass(frozen=True, slots=True)
class PathRecord:
    """A dependency or an output, and its recorded content. Equal if path and hash are equal.

    Attributes:
        path: from the project's root; of data elsewhere, its address.
        hash: the recorded hash, with `.dir` for a directory; empty if none is recorded.
        hash_name: DVC's name of the hash, such as `md5`; empty if none is recorded.
        size: in bytes.
        files: number of files in a directory.
        is_cached: DVC keeps the content of this output in its cache; else git does.
        is_persistent: DVC does not delete this output before its stage runs.
        is_pushed: `dvc push` sends this output.
        is_imported: the content is in another repository (`dvc import`).
        remote: DVC's name of the remote of this output; None for the default one.
    """

    path: str
    hash: str
    hash_name: str = field(default="", compare=False)
    size: int | None = field(default=None, compare=False)
    files: int | None = field(default=None, compare=False)
    is_cached: bool = field(default=True, compare=False)
    is_persistent: bool = field(default=False, compare=False)
    is_pushed: bool = field(default=True, compare=False)
    is_imported: bool = field(default=False, compare=False)
    remote: str | None = field(default=None, compare=False)

    @property
    def is_directory(self) -> bool:
        """Whether the recorded content is a directory."""
        return self.hash.endswith(dvc_hashes.DIRECTORY)

    @property
    def is_legacy(self) -> bool:
        """Whether the hash is one of DVC 2, which hashed text with Unix line ends."""
        return self.hash_name == LEGACY

    @property
    def object_name(self) -> bytes | None:
        """The name of the object with the content; None if no remote of the project has it."""
        if not self.is_cached or self.is_imported or not self.hash:
            return None
        try:
            return ids.encode(self.hash, legacy=self.is_legacy)
        except ValueError:  # an ETag, for data elsewhere
            return None


@dataclass(frozen=True, slots=True)
class StageParams:
    """The parameters that a stage declares in one file.

    Attributes:
        keys: names, such as `train.seed`; none means the whole file.
        locked: values in `dvc.lock`, by key.
        current: values in the file, by key. A missing file has none.
    """

    keys: Sequence[str]
    locked: Mapping[str, Any]
    current: Mapping[str, Any]


@dataclass(frozen=True)
class StageRun:
    """The last run of a stage, as `dvc.lock` records it.

    Attributes:
        name: title of the stage.
        flow: path of its dvc.yaml.
        description: `desc` of the stage in dvc.yaml; may be empty.
        command: the command that ran.
        reads: the inputs.
        writes: the outputs.
        params: values, by file and name.
    """

    name: str
    flow: str
    description: str
    command: str
    reads: Sequence[PathRecord]
    writes: Sequence[PathRecord]
    params: Mapping[str, Mapping[str, Any]]

    @property
    def values(self) -> Sequence[tuple[str, object]]:
        """Name and value of each parameter, without nesting: `params.yaml:train.seed`."""
        return list(named_values(self.params).items())


def run_of(
    entry: entries.Entry,
    title: str,
    flow: str,
    description: str,
    folder: str,
    declared: Mapping[str, str],
) -> StageRun:
    """The last run of a stage, from its entry in the lock file.

    Args:
        entry: command, dependencies, parameters and outputs as recorded.
        title: of the stage.
        flow: path of its dvc.yaml.
        description: of the stage.
        folder: that the paths of the entry are relative to.
        declared: paths from the project's root, by path in the entry, if it is still declared.
    """

    def place(path: str) -> str:
        return declared.get(path) or join(folder, path)

    params = (entry.get("params") or {}).items()
    return StageRun(
        name=title,
        flow=flow,
        description=description,
        command=text_of(entry.get("cmd")),
        reads=[_record(place(path), item) for path, item in entries.paths(entry, "deps").items()],
        writes=[_record(place(path), item) for path, item in entries.paths(entry, "outs").items()],
        params={place(file): dict(values) for file, values in params},
    )


def _record(path: str, item: Mapping[str, Any]) -> PathRecord:
    """A path of an entry."""
    return PathRecord(
        path=path,
        hash=entries.hash_of(item),
        hash_name=item.get("hash") or (LEGACY if "md5" in item else ""),
        size=item.get("size"),
        files=item.get("nfiles"),
    )


def text_of(command: str | Sequence[str] | None) -> str:
    """A command; several have a line each."""
    return command if isinstance(command, str) else "\n".join(command or ())


def join(folder: str, path: str) -> str:
    """A path from the project's root; an address or an absolute path stays as it is."""
    if "://" in path or posixpath.isabs(path):
        return path
    return posixpath.normpath(posixpath.join(folder, path))


def leaves(values: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Name and value of each parameter in nested ones: `train.seed`."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from ((f"{name}.{inner}", leaf) for inner, leaf in leaves(value))
        else:
            yield str(name), value


def overlap(path: str, other: str) -> bool:
    """Whether two paths are the same, or one is in the other."""
    return path == other or path.startswith(f"{other}/") or other.startswith(f"{path}/")


class OverlapIndex:
    """Paths among which those that overlap with another are found, however many there are."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = set(paths)
        self._around = {folder for path in self._paths for folder in _folders(path)}

    def overlap(self, path: str) -> bool:
        """Whether a path is one of them, in one, or around one."""
        if path in self._paths or path in self._around:
            return True
        return any(folder in self._paths for folder in _folders(path))


def _folders(path: str) -> Iterator[str]:
    """The folders that a path is in."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def named_values(params: Mapping[str, Mapping[str, Any]]) -> dict[str, object]:
    """Parameters by file, without nesting: `params.yaml:train.seed`."""
    return {
        f"{file}:{name}": value for file, values in params.items() for name, value in leaves(values)
    }
