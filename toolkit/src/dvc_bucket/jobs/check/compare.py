"""Outputs of a run against what they should be: identical, or what differs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dvc_bucket.dvc.audit.needed import file_md5
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.snapshot import PathRecord, Stage, overlap
from dvc_bucket.jobs.check.contents import Tolerance, compare
from dvc_bucket.jobs.check.findings import Difference, Result, Verdict
from dvc_bucket.jobs.check.rebuild import Run
from dvc_bucket.jobs.check.sides import Outputs, RunOutputs

#: What became of a stage that made nothing.
PAST = {"failed": "failed", "not run": "was not run"}

#: Files of a directory that are described one by one.
MAX_LISTED_FILES = 3


@dataclass(frozen=True)
class Comparison:
    """A run's outputs against another side.

    Attributes:
        run: that made them.
        made: what it made.
        expected: what it should have made.
        tolerance: that the project declares.
    """

    run: Run
    made: RunOutputs
    expected: Outputs
    tolerance: Tolerance

    def results(self, stages: Sequence[Stage]) -> list[Result]:
        """A line for every output of the stages, in order."""
        found: list[Result] = []
        for stage in stages:
            cause = _cause(stage, found)
            found += [self._result(stage, out.path, cause) for out in stage.outs]
        return found

    def _result(self, stage: Stage, path: str, cause: str) -> Result:
        one, other = self.expected.entry(path), self.made.entry(path)
        result = Result(
            path=path,
            stage=stage.name,
            run=self.run.title,
            against=self.expected.title,
            verdict="identical",
            expected=one.hash if one else None,
            found=other.hash if other else None,
        )
        if other is None:
            state, _ = self.run.lost.get(stage.name, ("failed", ""))
            return _changed(result, "missing", f"not made, as its stage {PAST[state]}")
        if one is None:
            return _changed(result, "missing", f"{self.expected.title} has no record of it")
        if one.hash == other.hash:
            return result
        difference = self._difference(one, other)
        if difference is None:
            return result
        if difference.tolerated:
            largest = f": at most {difference.largest:.3g}" if difference.largest else ""
            return _changed(result, "within tolerance", f"{difference.text}{largest}")
        return _changed(result, "differs", difference.text, cause, difference.pairs)

    def _difference(self, one: PathRecord, other: PathRecord) -> Difference | None:
        """How two contents with different hashes differ; None if they do not, but for the hash."""
        before, after = one.hash, other.hash
        if one.is_directory or other.is_directory:
            if one.is_directory != other.is_directory:
                kinds = ["a directory" if side.is_directory else "a file" for side in (one, other)]
                return Difference(f"{kinds[0]} became {kinds[1]}")
            return self._folder(one, other)
        name = ids.encode(before, legacy=one.is_legacy)
        new = self.made.file(one.path, ids.encode(after), is_cached=one.is_cached)
        if one.is_legacy and new and is_content(new, name):
            return None
        return self._file(one.path, name, ids.encode(after), is_cached=one.is_cached)

    def _folder(self, one: PathRecord, other: PathRecord) -> Difference | None:
        known = self.expected.members(one)
        as_known = replace(other, hash_name=one.hash_name)
        new = self.made.members(as_known) or {}
        if known is None:
            return Difference("its files cannot be compared: the list of those recorded is nowhere")
        if known == new:
            return None
        return _summed(list(self._members(one, known, new)), len(known))

    def _members(
        self, one: PathRecord, known: Mapping[str, bytes], new: Mapping[str, bytes]
    ) -> Iterator[tuple[str, Difference]]:
        for path in sorted(known.keys() | new.keys()):
            if path not in new:
                yield path, Difference("is not there any more")
            elif path not in known:
                yield path, Difference("is new")
            elif known[path] != new[path]:
                whole = f"{one.path}/{path}"
                yield path, self._file(whole, known[path], new[path], is_cached=one.is_cached)

    def _file(self, path: str, before: bytes, after: bytes, *, is_cached: bool) -> Difference:
        recorded = self.expected.file(path, before, is_cached=is_cached)
        found = self.made.file(path, after, is_cached=is_cached)
        if recorded is None or found is None:
            where = "neither the cache nor the remote has" if is_cached else "git does not have"
            said = f"MD5 {ids.md5(after)}, was {ids.md5(before)}; {where} the recorded content"
            return Difference(said)
        return compare(recorded, found, self.tolerance.of(path))


def is_content(file: Path, name: bytes) -> bool:
    """Whether a file has the content that the name of an object promises."""
    return file_md5(file, name) == ids.md5(name)


def _summed(differences: Sequence[tuple[str, Difference]], files: int) -> Difference:
    """What differs in a directory, in one."""
    open_ones = [(path, one) for path, one in differences if not one.tolerated]
    largest = max((one.largest or 0.0 for _, one in differences), default=0.0)
    if not open_ones:
        return Difference(f"{len(differences):,} files within tolerance", largest, tolerated=True)
    lines = [f"{path}: {one.text}" for path, one in open_ones[:MAX_LISTED_FILES]]
    if len(open_ones) > MAX_LISTED_FILES:
        lines.append(f"and {len(open_ones) - MAX_LISTED_FILES:,} more files")
    pairs = tuple(pair for _, one in open_ones for pair in one.pairs)
    text = f"{len(open_ones):,} of {files:,} files differ. {'; '.join(lines)}"
    return Difference(text, pairs=pairs)


def _cause(stage: Stage, found: Sequence[Result]) -> str:
    """An input of the stage that differs already."""
    for result in found:
        if not result.ok and any(overlap(dep.path, result.path) for dep in stage.deps):
            return result.path
    return ""


def _changed(
    result: Result,
    verdict: Verdict,
    detail: str,
    follows: str = "",
    pairs: tuple[tuple[str, str], ...] = (),
) -> Result:
    return replace(result, verdict=verdict, detail=detail, follows=follows, pairs=pairs)
