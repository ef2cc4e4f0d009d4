"""Outputs of a run against what they should be: identical, or what differs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.snapshot import PathRecord, Stage, overlap
from dvc_bucket.jobs.check.differences import Tolerance, compare
from dvc_bucket.jobs.check.findings import Difference, OutputResult
from dvc_bucket.jobs.check.outputs import ITSELF, RecordedOutputs, RunOutputs
from dvc_bucket.jobs.check.runs import CloneRun

#: Files of a directory that are described one by one.
MAX_LISTED_FILES = 3


@dataclass(frozen=True)
class Comparison:
    """A run's outputs against other ones.

    Attributes:
        run: that made them.
        expected: what it should have made.
        tolerance: that the project declares.
    """

    run: CloneRun
    expected: RecordedOutputs | RunOutputs
    tolerance: Tolerance

    def results(self, stages: Sequence[Stage]) -> list[OutputResult]:
        """The result of every output of the stages, in order."""
        made = RunOutputs(self.run)
        results: list[OutputResult] = []
        for stage in stages:
            wrong = [result.path for result in results if not result.ok]
            inputs = (path for path in wrong for dep in stage.deps if overlap(dep.path, path))
            wrong_input = next(inputs, "")
            results += [self._result(made, stage, out.path, wrong_input) for out in stage.outs]
        return results

    def _result(self, made: RunOutputs, stage: Stage, path: str, wrong_input: str) -> OutputResult:
        before, after = self.expected.records.get(path), made.records.get(path)
        result = OutputResult(
            path=path,
            stage=stage.name,
            run=self.run.title,
            against=self.expected.title,
            verdict="identical",
            expected=before.hash if before else None,
            found=after.hash if after else None,
        )
        if after is None:
            was = "was not run" if self.run.executions[stage.name].state == "not run" else "failed"
            return replace(result, verdict="missing", detail=f"not made, as its stage {was}")
        if before is None:
            detail = f"{self.expected.title} has no record of it"
            return replace(result, verdict="missing", detail=detail)
        difference = None if before.hash == after.hash else self._difference(made, before, after)
        if difference is None:
            return result
        if difference.tolerated:
            largest = f": at most {difference.largest:.3g}" if difference.largest else ""
            detail = f"{difference.text}{largest}"
            return replace(result, verdict="within tolerance", detail=detail)
        return replace(
            result,
            verdict="differs",
            detail=difference.text,
            follows=wrong_input,
            values=difference.pairs,
        )

    def _difference(
        self, made: RunOutputs, before: PathRecord, after: PathRecord
    ) -> Difference | None:
        """How two contents with different hashes differ; None if only the kind of hash does."""
        if before.is_directory != after.is_directory:
            kinds = ["a directory" if one.is_directory else "a file" for one in (before, after)]
            return Difference(f"{kinds[0]} became {kinds[1]}")
        old, new = self.expected.names(before), made.names(before)
        if old is None:
            return Difference("its files cannot be compared: the list of those recorded is nowhere")
        differences = {
            path: self._file_difference(made, before, path, old, new)
            for path in sorted(old.keys() | new.keys())
            if old.get(path) != new.get(path)
        }
        if not differences:
            return None
        return _summed(differences, len(old)) if before.is_directory else differences[ITSELF]

    def _file_difference(
        self,
        made: RunOutputs,
        out: PathRecord,
        path: str,
        old: Mapping[str, bytes],
        new: Mapping[str, bytes],
    ) -> Difference:
        """How a file of an output differs; `path` is its path in the output."""
        if path not in new:
            return Difference("is not there any more")
        if path not in old:
            return Difference("is new")
        whole = str(PurePosixPath(out.path, path))
        recorded = self.expected.file(whole, old[path], is_cached=out.is_cached)
        if recorded is None:
            hashes = f"MD5 {ids.md5(new[path])}, was {ids.md5(old[path])}"
            where = "neither the cache nor the remote has" if out.is_cached else "git does not have"
            return Difference(f"{hashes}; {where} the recorded content")
        found = made.file(whole, new[path], is_cached=out.is_cached)
        return compare(recorded, found, self.tolerance.of(whole))


def _summed(differences: Mapping[str, Difference], files: int) -> Difference:
    """The differences of the files of a directory in one."""
    untolerated = {path: one for path, one in differences.items() if not one.tolerated}
    if not untolerated:
        largest = max(one.largest or 0.0 for one in differences.values())
        return Difference(f"{len(differences):,} files within tolerance", largest, tolerated=True)
    lines = [f"{path}: {one.text}" for path, one in untolerated.items()][:MAX_LISTED_FILES]
    if (more := len(untolerated) - len(lines)) > 0:
        lines.append(f"and {more:,} more files")
    pairs = tuple(pair for one in untolerated.values() for pair in one.pairs)
    return Difference(
        f"{len(untolerated):,} of {files:,} files differ. {'; '.join(lines)}", pairs=pairs
    )
