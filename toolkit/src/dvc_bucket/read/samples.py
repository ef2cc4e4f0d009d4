"""Shards back to samples, for a training loop: split over processes, shuffled, resumed."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Literal

from dvc_bucket.connection.settings import Settings
from dvc_bucket.read.epoch import Epoch, Position, of_reader
from dvc_bucket.read.packing import key_of
from dvc_bucket.read.proof import Proven
from dvc_bucket.read.sources import locate
from dvc_bucket.read.units import Plan, Sample, plan

#: Bytes of samples that are mixed with each other where they are shuffled, and so held at a time.
MIXED_BYTES = 64 * 1024 * 1024

#: Samples, and where the position after them begins: a unit, and how many keys of it to skip.
Ended = tuple[list[Sample], tuple[int, int]]


class Samples(Iterator[Sample]):
    """The samples of one reader, one after the other. `iter_samples` makes it.

    The next 64 MB of samples are kept in memory, and 64 MB more for shuffling. A folder that is not
    packed works, too, with one request per file.

    Readers get row groups of all Parquet shards, tars, or files in turn. If there are fewer of them
    than readers, each reader reads all of them and returns its part of the samples. The number of
    samples can differ between readers by those of one row group or tar. The order of a seed is the
    same for the same epoch, shards, ranks and workers: it shuffles row groups, tars or files, and
    samples within 64 MB of them.

    Without `proven`, pages of Parquet shards are checked by their checksums, and other files are
    hashed first. A tar is hashed as it is read, so its error may come after its last sample.
    """

    def __init__(self, epoch: Epoch, plan: Plan, resume: str | Iterable[str] | None) -> None:
        self._epoch = epoch
        # With other blocks, the same numbers are another position.
        mark = json.dumps([plan.mark, MIXED_BYTES])
        self._mark = hashlib.sha256(mark.encode()).hexdigest()[:16]
        self._at = epoch.start(self._mark, resume)
        self._samples = _samples(epoch, plan, self._at)

    def __next__(self) -> Sample:
        sample, self._at = next(self._samples)
        return sample

    def state(self) -> str:
        """Where the reader is: after the sample that it gave last.

        A text of JSON of some 150 bytes, which any process that reads the same data understands.
        `iter_samples(..., resume=state)` gives what follows.
        """
        return self._epoch.state(self._mark, self._at)


def _samples(epoch: Epoch, plan: Plan, at: Position) -> Iterator[tuple[Sample, Position]]:
    """Block after block, each mixed by itself: a position needs no memory of earlier ones."""
    blocks = _groups(epoch, plan, at.unit, at.skip)
    if epoch.shuffle is not None and not plan.is_small:
        blocks = _mixed(epoch, blocks, at.block)
    for samples, end in blocks:
        for given in range(at.given, len(samples)):
            yield samples[given], Position(at.block, given + 1, at.unit, at.skip)
        at = Position(at.block + 1, 0, *end)


def _groups(epoch: Epoch, plan: Plan, unit: int, skip: int) -> Iterator[Ended]:
    """The files of each key together."""
    shares = epoch.shares(plan.units, whole=plan.is_small)[unit:]
    all_samples = plan.read([share.unit for share in shares])
    for number, (share, samples) in enumerate(zip(shares, all_samples, strict=True), unit):
        groups = (list(group) for _, group in groupby(samples, lambda sample: key_of(sample.name)))
        first = share.first + skip * share.step
        for count, group in enumerate(islice(groups, first, None, share.step), skip + 1):
            yield group, (number, count)
        skip = 0


def _mixed(epoch: Epoch, groups: Iterator[Ended], number: int) -> Iterator[Ended]:
    """Groups of at least `MIXED_BYTES` together, mixed, from the block of a number on."""
    while True:
        block, size, end = [], 0, (0, 0)
        for group, after in groups:
            end = after
            block.append(group)
            size += sum(len(sample.data) for sample in group)
            if size >= MIXED_BYTES:
                break
        if not block:
            return
        mixed = epoch.mixed(block, epoch.reader, epoch.readers, number)
        yield list(chain.from_iterable(mixed)), end
        number += 1


def iter_samples(
    path: str | Path,
    rev: str | None = None,
    shuffle: int | None = None,
    remote: str | None = None,
    *,
    repo: str | None = None,
    settings: Settings | None = None,
    proven: Proven | None = None,
    epoch: int = 0,
    split: tuple[int, int] = (0, 1),
    worker: Literal["auto"] | tuple[int, int] = "auto",
    resume: str | Iterable[str] | None = None,
) -> Samples:
    """Stream the samples of a folder of `bucket pack`, from the disk or the remote.

    Each sample occurs once in an epoch, in one of the readers (the workers of all ranks).

    Args:
        path: of the folder or one shard, as for `open_dataset`.
        rev: branch, tag or commit.
        shuffle: a seed for a random order; None for the order of their names.
        remote: as for `open_dataset`.
        repo: as there.
        settings: as there.
        proven: as there.
        epoch: its number; with a seed, each epoch has a different order.
        split: (rank, world): index of this rank, and number of ranks.
        worker: (number, workers) in this rank; `auto` asks PyTorch's DataLoader.
        resume: results of `state()` of earlier iterators; the most advanced of this reader counts.

    Raises:
        FormatError: these are Parquet files but not shards, or a tar is damaged or incomplete.
        ResumeError: the state belongs to other data, another order or another number of readers.
        UnsafePathError: a name leads out of the packed folder.
        ValueError: in `split` or `worker` the index is not below the count.
        BucketError: as `open_dataset`.
    """
    reader = of_reader(shuffle, epoch, split, worker)
    return Samples(reader, plan(locate(path, rev, remote, repo, settings, proven)), resume)
