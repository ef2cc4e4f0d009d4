"""The two sides of a comparison: the recorded outputs and those of a run."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Protocol

from dvc_bucket.base.errors import BucketError, ProjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.base.safe_paths import below
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc.audit.needed import file_md5
from dvc_bucket.dvc.remote import Contents, Remote, ids
from dvc_bucket.dvc.remote.outputs import opened
from dvc_bucket.dvc.snapshot import PathRecord
from dvc_bucket.git.contents import git
from dvc_bucket.jobs.check.plan import Plan
from dvc_bucket.jobs.check.rebuild import Run


class Outputs(Protocol):
    """The outputs of one side."""

    @property
    def title(self) -> str:
        """What it is called in the report."""
        ...

    def entry(self, path: str) -> PathRecord | None:
        """An output as `dvc.lock` of this side has it."""
        ...

    def members(self, entry: PathRecord) -> Mapping[str, bytes] | None:
        """The files of a directory, by path in it, with the names of their objects."""
        ...

    def file(self, path: str, name: bytes, *, is_cached: bool) -> Path | None:
        """A file with the content of an output, or of a file in one."""
        ...


class RunOutputs:
    """The outputs of a run, in its clone."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._outs = entries(run.after)

    @property
    def title(self) -> str:
        """The run's."""
        return self._run.title

    def entry(self, path: str) -> PathRecord | None:
        """The output as DVC recorded it; None if its stage did not succeed."""
        found = self._outs.get(path)
        made = found and self._run.after.stages[found[0]].name in self._run.done
        return found[1] if found and made else None

    def members(self, entry: PathRecord) -> Mapping[str, bytes] | None:
        """The files that are in the folder."""
        folder = self._run.clone.root / entry.path
        return {
            file.relative_to(folder).as_posix(): _name(file, legacy=entry.is_legacy)
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        }

    def file(self, path: str, name: bytes, *, is_cached: bool) -> Path | None:  # noqa: ARG002
        """The file itself."""
        found = self._run.clone.root / path
        return found if found.is_file() else None


class RecordedOutputs:
    """The outputs that `dvc.lock` records: contents are in the cache, on the remote or in git."""

    title = "dvc.lock"

    def __init__(
        self, known: Plan, project: Project, settings: Settings | None, commit: str, spool: Path
    ) -> None:
        self._outs = entries(known)
        self._project, self._settings, self._commit = project, settings, commit
        self._spool = spool

    def entry(self, path: str) -> PathRecord | None:
        """A recorded output."""
        found = self._outs.get(path)
        return found[1] if found and found[1].hash else None

    def members(self, entry: PathRecord) -> Mapping[str, bytes] | None:
        """The files in the list of a directory; None if the list is nowhere."""
        if not entry.hash:
            return None
        return self._contents.members(ids.encode(entry.hash, legacy=entry.is_legacy))

    def file(self, path: str, name: bytes, *, is_cached: bool) -> Path | None:
        """A copy of the content; its name keeps the suffix. None if it is nowhere."""
        if is_cached:
            return self._contents.file(path, name)
        target = below(self._spool, f"git/{ids.md5(name)}/{path.rpartition('/')[2]}")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.write_bytes(git(self._project.root, "show", f"{self._commit}:./{path}"))
        except ProjectError:
            return None
        return target if _name(target, legacy=ids.is_legacy(name)) == name else None

    @cached_property
    def _contents(self) -> Contents:
        with opened(self._project) as repo:
            cache = Path(repo.cache.legacy.path)
        try:
            remote = Remote.of(self._project, self._settings, None) if self._settings else None
        except BucketError:  # the project has none: then nothing is there
            remote = None
        return Contents(cache, remote, self._spool)


def entries(known: Plan) -> dict[str, tuple[str, PathRecord]]:
    """Every output, by path, with its stage."""
    return {out.path: (stage.name, out) for stage in known.stages.values() for out in stage.outs}


def hash_of(file: Path, *, legacy: bool) -> str:
    """The MD5 of a file, of today's kind or of that which DVC used before version 3."""
    return file_md5(file, ids.encode("0" * 32, legacy=legacy))


def _name(file: Path, *, legacy: bool) -> bytes:
    """The name of the object that has a file's content."""
    return ids.encode(hash_of(file, legacy=legacy), legacy=legacy)
