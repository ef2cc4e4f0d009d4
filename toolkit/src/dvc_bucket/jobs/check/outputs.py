"""The outputs that are compared: those that `dvc.lock` records, and those of a run."""

from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from dvc_bucket.base.errors import BucketError, ProjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.base.safe_paths import below
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc.remote import Contents, Remote, ids
from dvc_bucket.dvc.remote.ids import file_hash
from dvc_bucket.dvc.remote.outputs import opened
from dvc_bucket.dvc.snapshot import PathRecord
from dvc_bucket.git.contents import git
from dvc_bucket.jobs.check.plan import StagePlan
from dvc_bucket.jobs.check.runs import CloneRun

#: Where the only file of an output is that is no directory.
ITSELF = "."


class RunOutputs:
    """The outputs of a run, in its clone.

    Attributes:
        title: in the report.
        records: what DVC recorded of the outputs of the stages that succeeded, by path.
    """

    def __init__(self, run: CloneRun) -> None:
        self.title, self._run = run.title, run
        stages = (run.plan.stages[name] for name in run.seconds)
        self.records = {out.path: out for stage in stages for out in stage.outs}

    def end(self, stage: str) -> str:
        """How a stage ended that made nothing."""
        return "was not run" if self._run.executions[stage].state == "not run" else "failed"

    def names(self, record: PathRecord) -> dict[str, bytes]:
        """The files of an output, by path in it, with names of objects as those of `record`."""
        return object_names(self._run.clone.root / record.path, is_legacy=record.is_legacy)

    def file(self, path: str, name: bytes, *, is_cached: bool) -> Path:  # noqa: ARG002
        """A file of an output."""
        return self._run.clone.root / path


class RecordedOutputs:
    """The outputs that `dvc.lock` records, whose contents the cache, the remote or git has.

    Attributes:
        title: in the report.
        records: of the outputs, by path.
    """

    title = "dvc.lock"

    def __init__(
        self,
        plan: StagePlan,
        project: Project,
        settings: Settings | BucketError,
        commit: str,
        spool: Path,
    ) -> None:
        self.records = {out.path: out for out in plan.outs if out.hash}
        self._project, self._settings, self._commit = project, settings, commit
        self._spool = spool

    def names(self, record: PathRecord) -> Mapping[str, bytes] | None:
        """The files of an output, by path in it; None if the list of a directory is nowhere."""
        name = ids.encode(record.hash, legacy=record.is_legacy)
        return self._contents.members(name) if record.is_directory else {ITSELF: name}

    def file(self, path: str, name: bytes, *, is_cached: bool) -> Path | None:
        """A copy of a content; its name keeps the suffix. None if it is nowhere."""
        if is_cached:
            return self._contents.file(path, name)
        target = below(self._spool, f"git/{ids.md5(name)}/{path.rpartition('/')[2]}")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.write_bytes(git(self._project.root, "show", f"{self._commit}:./{path}"))
        except ProjectError:
            return None
        return target if file_hash(target, name) == ids.md5(name) else None

    @cached_property
    def _contents(self) -> Contents:
        with opened(self._project) as repo:
            cache = Path(repo.cache.legacy.path)
        remote = None
        if isinstance(self._settings, Settings):
            with suppress(BucketError):  # the project has none: then nothing is there
                remote = Remote.of(self._project, self._settings, None)
        return Contents(cache, remote, self._spool)


def object_names(place: Path, *, is_legacy: bool = False) -> dict[str, bytes]:
    """The names of the objects that have the contents of a file or of the files of a directory.

    Args:
        place: the file or directory; nothing need be there.
        is_legacy: name them as DVC did before version 3: by the hash of text with Unix line ends.
    """
    kind = ids.encode("0" * 32, legacy=is_legacy)
    return {
        file.relative_to(place).as_posix(): ids.encode(file_hash(file, kind), legacy=is_legacy)
        for file in sorted((place, *place.rglob("*")))
        if file.is_file()
    }
