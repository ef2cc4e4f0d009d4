"""Outputs of a run against what they should be: identical, or what differs."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from dvc_bucket.base.errors import BucketError, ProjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.base.safe_paths import below
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc.remote import Contents, Remote, ids
from dvc_bucket.dvc.remote.ids import file_hash
from dvc_bucket.dvc.remote.outputs import opened
from dvc_bucket.dvc.snapshot import PathRecord, Stage, overlap
from dvc_bucket.git.contents import git
from dvc_bucket.jobs.check.differences import Tolerance, compare
from dvc_bucket.jobs.check.findings import Difference, OutputResult, Verdict
from dvc_bucket.jobs.check.outputs import ITSELF
from dvc_bucket.jobs.check.plan import StagePlan
from dvc_bucket.jobs.check.runs import CloneRun

#: Files of a directory that are described one by one.
MAX_LISTED_FILES = 3


@dataclass(frozen=True)
class RecordedOutputs:
    """The outputs that `dvc.lock` records, whose contents the cache, the remote or git has.

    Attributes:
        plan: the stages of the commit.
        project: the person's.
        settings: the connection, or why there is none.
        commit: full id.
        spool: folder for copies of contents.
    """

    plan: StagePlan
    project: Project
    settings: Settings | BucketError
    commit: str
    spool: Path

    #: In the report.
    title = "dvc.lock"

    @cached_property
    def records(self) -> dict[str, PathRecord]:
        """The outputs, by path."""
        return {out.path: out for out in self.plan.outs if out.hash}

    def names(self, record: PathRecord) -> Mapping[str, bytes] | None:
        """The files of an output, by path in it; None if the list of a directory is nowhere."""
        name = ids.encode(record.hash, legacy=record.is_legacy)
        return self._contents.members(name) if record.is_directory else {ITSELF: name}

    def file(self, path: str, name: bytes, *, is_cached: bool) -> Path | None:
        """A copy of a content; its name keeps the suffix. None if it is nowhere."""
        if is_cached:
            return self._contents.file(path, name)
        target = below(self.spool, f"git/{ids.md5(name)}/{path.rpartition('/')[2]}")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.write_bytes(git(self.project.root, "show", f"{self.commit}:./{path}"))
        except ProjectError:
            return None
        return target if file_hash(target, name) == ids.md5(name) else None

    @cached_property
    def _contents(self) -> Contents:
        with opened(self.project) as repo:
            cache = Path(repo.cache.legacy.path)
        remote = None
        if isinstance(self.settings, Settings):
            with suppress(BucketError):  # the project has none: then nothing is there
                remote = Remote.of(self.project, self.settings, None)
        return Contents(cache, remote, self.spool)


@dataclass(frozen=True)
class OutputComparison:
    """The outputs of a run against other ones.

    Attributes:
        made: what the run made.
        expected: what it should have made.
        tolerance: that the project declares.
    """

    made: CloneRun
    expected: RecordedOutputs | CloneRun
    tolerance: Tolerance

    def results(self, stages: Sequence[Stage]) -> list[OutputResult]:
        """The result of every output of the stages, in order."""
        results: list[OutputResult] = []
        wrong: list[str] = []
        for stage in stages:
            inputs = (path for path in wrong for dep in stage.deps if overlap(dep.path, path))
            wrong_input = next(inputs, "")
            of_stage = [self._result(stage.name, out.path, wrong_input) for out in stage.outs]
            wrong += [result.path for result in of_stage if not result.ok]
            results += of_stage
        return results

    def _result(self, stage: str, path: str, wrong_input: str) -> OutputResult:
        before, after = self.expected.records.get(path), self.made.records.get(path)
        verdict: Verdict = "missing"
        difference = None
        if after is None:
            was_run = self.made.executions[stage].state != "not run"
            detail = f"not written, because its stage {'failed' if was_run else 'was not run'}"
        elif before is None:
            detail = f"{self.expected.title} has no record of it"
        elif before.hash == after.hash or not (difference := self._difference(before, after)):
            verdict, detail = "identical", ""
        else:
            verdict = "within tolerance" if difference.tolerated else "differs"
            detail = difference.detail
        return OutputResult(
            path,
            stage,
            self.made.title,
            self.expected.title,
            verdict,
            expected=before.hash if before else None,
            found=after.hash if after else None,
            detail=detail,
            follows=wrong_input if verdict == "differs" else "",
            values=difference.pairs if difference else (),
        )

    def _difference(self, before: PathRecord, after: PathRecord) -> Difference | None:
        """How two contents with different hashes differ; None if only the kind of hash does."""
        if before.is_directory != after.is_directory:
            kinds = ("a file became a directory", "a directory became a file")
            return Difference(kinds[before.is_directory])
        old, new = self.expected.names(before), self.made.names(before)
        if old is None:
            return Difference(
                "its files cannot be compared: the list of the recorded files does not exist "
                "anywhere"
            )
        differences = {
            path: self._file_difference(before, path, old.get(path), new.get(path))
            for path in sorted(old.keys() | new.keys())
            if old.get(path) != new.get(path)
        }
        if before.is_directory and differences:
            return _summed(differences, len(old))
        return differences.get(ITSELF)

    def _file_difference(
        self, out: PathRecord, path: str, old: bytes | None, new: bytes | None
    ) -> Difference:
        """How a file of an output differs; `path` is its path in the output."""
        if new is None:
            return Difference("is missing")
        if old is None:
            return Difference("is new")
        whole = str(PurePosixPath(out.path, path))
        recorded = self.expected.file(whole, old, is_cached=out.is_cached)
        if recorded is None:
            where = "neither the cache nor the remote has" if out.is_cached else "git does not have"
            hashes = f"MD5 {ids.md5(new)}, was {ids.md5(old)}"
            return Difference(f"{hashes}; {where} the recorded content")
        made = self.made.file(whole, new, is_cached=out.is_cached)
        return compare(recorded, made, self.tolerance.of(whole))


def _summed(differences: Mapping[str, Difference], files: int) -> Difference:
    """The differences of the files of a directory in one."""
    untolerated = {
        path: difference for path, difference in differences.items() if not difference.tolerated
    }
    if not untolerated:
        largest = max(difference.largest or 0.0 for difference in differences.values())
        return Difference(f"{len(differences):,} files within tolerance", largest, tolerated=True)
    lines = [f"{path}: {difference.text}" for path, difference in untolerated.items()][
        :MAX_LISTED_FILES
    ]
    if (more := len(untolerated) - len(lines)) > 0:
        lines.append(f"and {more:,} more files")
    pairs = tuple(pair for difference in untolerated.values() for pair in difference.pairs)
    text = f"{len(untolerated):,} of {files:,} files differ. {'; '.join(lines)}"
    return Difference(text, pairs=pairs)
