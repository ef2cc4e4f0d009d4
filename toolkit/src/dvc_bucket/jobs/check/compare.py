"""Outputs of a run against what they should be: identical, or what differs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.snapshot import PathRecord, Stage, overlap
from dvc_bucket.jobs.check.differences import Tolerance, compare
from dvc_bucket.jobs.check.findings import Difference, OutputResult
from dvc_bucket.jobs.check.outputs import ITSELF, RecordedOutputs, RunOutputs

#: Files of a directory that are described one by one.
MAX_LISTED_FILES = 3


@dataclass(frozen=True)
class Comparison:
    """The outputs of a run against other ones.

    Attributes:
        made: what the run made.
        expected: what it should have made.
        tolerance: that the project declares.
    """

    made: RunOutputs
    expected: RecordedOutputs | RunOutputs
    tolerance: Tolerance

    def results(self, stages: Sequence[Stage]) -> list[OutputResult]:
        """The result of every output of the stages, in order."""
        results: list[OutputResult] = []
        for stage in stages:
            wrong = [result.path for result in results if not result.ok]
            inputs = (path for path in wrong for dep in stage.deps if overlap(dep.path, path))
            wrong_input = next(inputs, "")
            results += [self._result(stage.name, out.path, wrong_input) for out in stage.outs]
        return results

    def _result(self, stage: str, path: str, wrong_input: str) -> OutputResult:
        before, after = self.expected.records.get(path), self.made.records.get(path)
        result = partial(
            OutputResult,
            path=path,
            stage=stage,
            run=self.made.title,
            against=self.expected.title,
            expected=before.hash if before else None,
            found=after.hash if after else None,
        )
        if after is None:
            return result(
                verdict="missing", detail=f"not made, as its stage {self.made.end(stage)}"
            )
        if before is None:
            return result(verdict="missing", detail=f"{self.expected.title} has no record of it")
        difference = None if before.hash == after.hash else self._difference(before, after)
        if difference is None:
            return result(verdict="identical")
        text, pairs = difference.text, difference.pairs
        if difference.tolerated:
            largest = f": at most {difference.largest:.3g}" if difference.largest else ""
            return result(verdict="within tolerance", detail=f"{text}{largest}")
        return result(verdict="differs", detail=text, follows=wrong_input, values=pairs)

    def _difference(self, before: PathRecord, after: PathRecord) -> Difference | None:
        """How two contents with different hashes differ; None if only the kind of hash does."""
        if before.is_directory != after.is_directory:
            kinds = ["a directory" if one.is_directory else "a file" for one in (before, after)]
            return Difference(f"{kinds[0]} became {kinds[1]}")
        old, new = self.expected.names(before), self.made.names(before)
        if old is None:
            return Difference("its files cannot be compared: the list of those recorded is nowhere")
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
            return Difference("is not there any more")
        if old is None:
            return Difference("is new")
        whole = str(PurePosixPath(out.path, path))
        recorded = self.expected.file(whole, old, is_cached=out.is_cached)
        if recorded is None:
            where = "neither the cache nor the remote has" if out.is_cached else "git does not have"
            hashes = f"MD5 {ids.md5(new)}, was {ids.md5(old)}"
            return Difference(f"{hashes}; {where} the recorded content")
        found = self.made.file(whole, new, is_cached=out.is_cached)
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
    text = f"{len(untolerated):,} of {files:,} files differ. {'; '.join(lines)}"
    return Difference(text, pairs=pairs)
