"""The two sides of a comparison: what was recorded, and what a run has made."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Protocol

from bucket.check.plan import Plan, Recorded
from bucket.check.rebuild import Run
from bucket.errors import BucketError, MissingObjectError, ProjectError
from bucket.git_contents import git
from bucket.paths import Project
from bucket.remote import Lists, Remote, ids
from bucket.remote.outputs import opened
from bucket.settings import Settings
from bucket.transfer import naming_failures
from bucket.verify.needed import file_md5


class Side(Protocol):
    """Where an output's content is known from."""

    @property
    def title(self) -> str:
        """What it is called in the report."""
        ...

    def entry(self, path: str) -> Recorded | None:
        """An output as `dvc.lock` of this side has it."""
        ...

    def members(self, entry: Recorded) -> Mapping[str, bytes] | None:
        """The files of a directory, by path in it, with the names of their objects."""
        ...

    def file(self, path: str, name: bytes, *, is_cached: bool) -> Path | None:
        """A file with the content of an output, or of a file in one."""
        ...


class Made:
    """What a run has made, in its clone."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._outs = entries(run.after)

    @property
    def title(self) -> str:
        """The run's."""
        return self._run.title

    def entry(self, path: str) -> Recorded | None:
        """What DVC noted after the stage had run; None if it did not come so far."""
        found = self._outs.get(path)
        made = found and self._run.after.stages[found[0]].name in self._run.done
        return found[1] if found and made else None

    def members(self, entry: Recorded) -> Mapping[str, bytes] | None:
        """The files that are in the folder."""
        folder = self._run.clone.root / entry.path
        return {
            file.relative_to(folder).as_posix(): _name(file, legacy=entry.legacy)
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        }

    def file(self, path: str, name: bytes, *, is_cached: bool) -> Path | None:  # noqa: ARG002
        """The file itself."""
        found = self._run.clone.root / path
        return found if found.is_file() else None


class Locked:
    """What the commit's `dvc.lock` records: contents are in the cache, on the remote or in git."""

    title = "dvc.lock"

    def __init__(
        self, known: Plan, project: Project, settings: Settings | None, commit: str, spool: Path
    ) -> None:
        self._outs = entries(known)
        self._project, self._settings, self._commit = project, settings, commit
        self._spool = spool

    def entry(self, path: str) -> Recorded | None:
        """What is recorded of an output."""
        found = self._outs.get(path)
        return found[1] if found and found[1].hash else None

    def members(self, entry: Recorded) -> Mapping[str, bytes] | None:
        """The files in the directory's list; None if nobody has that."""
        if entry.hash is None or self._lists is None:
            return None
        try:
            found = self._lists.members(ids.encode(entry.hash, legacy=entry.legacy))
        except BucketError:
            return None
        return None if found is None else dict(found)

    def file(self, path: str, name: bytes, *, is_cached: bool) -> Path | None:
        """A copy of the content, with the end of its name; None if nobody has it."""
        target = self._spool / ids.md5(name) / Path(path).name
        target.parent.mkdir(parents=True, exist_ok=True)
        for fetch in (self._from_cache, self._from_remote) if is_cached else (self._from_git,):
            if target.is_file() or fetch(path, name, target):
                break
        good = target.is_file() and _name(target, legacy=ids.is_legacy(name)) == name
        return target if good else None

    def _from_cache(self, _: str, name: bytes, target: Path) -> bool:
        cached = self._cache / ids.path(name)
        if cached.is_file():
            target.symlink_to(cached)
        return target.is_file()

    def _from_remote(self, _: str, name: bytes, target: Path) -> bool:
        import obstore

        if self._remote is None:
            return False
        try:
            with naming_failures(f"download {target.name}", self._remote.settings):
                body = obstore.get(self._remote.store, self._remote.key(name))
                with target.open("wb") as file:
                    file.writelines(body.stream())
        except (MissingObjectError, BucketError):
            target.unlink(missing_ok=True)
        return target.is_file()

    def _from_git(self, path: str, _: bytes, target: Path) -> bool:
        try:
            target.write_bytes(git(self._project.root, "show", f"{self._commit}:./{path}"))
        except ProjectError:
            return False
        return True

    @cached_property
    def _cache(self) -> Path:
        with opened(self._project) as repo:
            return Path(repo.cache.legacy.path)

    @cached_property
    def _remote(self) -> Remote | None:
        try:
            return Remote.of(self._project, self._settings, None) if self._settings else None
        except BucketError:  # the project has none: then nothing is there
            return None

    @cached_property
    def _lists(self) -> Lists | None:
        spool = self._spool / "lists"
        spool.mkdir(parents=True, exist_ok=True)
        return Lists(self._cache, self._remote, spool) if self._remote else None


def entries(known: Plan) -> dict[str, tuple[str, Recorded]]:
    """Every output, by path, with its stage."""
    return {out.path: (stage.name, out) for stage in known.stages.values() for out in stage.outs}


def hash_of(file: Path, *, legacy: bool) -> str:
    """The MD5 of a file, of today's kind or of that which DVC used before version 3."""
    return file_md5(file, ids.encode("0" * 32, legacy=legacy))


def _name(file: Path, *, legacy: bool) -> bytes:
    """The name of the object that has a file's content."""
    return ids.encode(hash_of(file, legacy=legacy), legacy=legacy)
