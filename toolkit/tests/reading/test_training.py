"""Samples of an epoch: each in one reader, in a fixed order, resumed after an interruption."""

import json
import multiprocessing
import os
import signal
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import webdataset

from dvc_bucket import Sample, iter_samples, pack
from dvc_bucket.errors import ResumeError
from dvc_bucket.read import samples as reader
from dvc_bucket.read.packing import MIN_SHARD_BYTES, key_of
from dvc_bucket.read.prefetch import prefetch
from tests.reading.test_processes import NO_TORCH

#: A sample has two or three files; shards of 1 MB have some 40 samples.
SAMPLES = 200
NAMES = [
    f"class-{number % 3}/{number:04}.{end}"
    for number in range(SAMPLES)
    for end in ("cls", "png", "seg.png")[: 2 + number % 2]
]

#: Numbers of ranks and workers; there are five shards, so the last ones share each.
READERS = ((1, 1), (2, 2), (3, 2), (2, 8))

FORMS = ("parquet", "tar", "files")


def content(name: str) -> bytes:
    return b"%d" % (len(name) % 10) if name.endswith("cls") else name.encode() * 900


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the same samples as Parquet, as tars, and as files."""
    root = tmp_path_factory.mktemp("training")
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").touch()
    for name in NAMES:
        (root / "files" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "files" / name).write_bytes(content(name))
    for form in ("parquet", "tar"):
        done = pack(root / "files", root / form, form=form, shard_bytes=MIN_SHARD_BYTES)
        assert done.shards == 5
    return root


@pytest.fixture(autouse=True)
def _here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder is the project; samples are mixed in blocks that do not fill a reader."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(reader, "MIXED_BYTES", 150_000)


def names(samples: Iterable[Sample]) -> list[str]:
    return [sample.name for sample in samples]


def readers(world: int, workers: int) -> Iterator[dict[str, Any]]:
    for rank in range(world):
        for worker in range(workers):
            yield {"split": (rank, world), "worker": (worker, workers)}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shuffle", [None, 7])
def test_every_sample_comes_once_whatever_the_number_of_readers(
    form: str, shuffle: int | None
) -> None:
    for world, workers in READERS:
        parts = [
            names(iter_samples(form, shuffle=shuffle, **one)) for one in readers(world, workers)
        ]
        assert sorted(name for part in parts for name in part) == sorted(NAMES)
        assert all(parts)
        keys = [{key_of(name) for name in part} for part in parts]
        assert sum(map(len, keys)) == SAMPLES  # none is in two readers


@pytest.mark.parametrize("form", FORMS)
def test_files_of_one_key_are_neighbours_in_every_order(form: str) -> None:
    order = names(iter_samples(form, shuffle=7, split=(1, 2)))
    runs = [key for key, _ in groupby(order, key_of)]
    assert len(runs) == len(set(runs)) > SAMPLES / 4


@pytest.mark.parametrize("form", FORMS)
def test_seed_and_epoch_are_the_order(form: str) -> None:
    one, again, other_epoch, other_seed = (
        names(iter_samples(form, shuffle=seed, epoch=epoch, split=(0, 2)))
        for seed, epoch in ((7, 0), (7, 0), (7, 1), (8, 0))
    )
    assert one == again
    assert len({tuple(order) for order in (one, other_epoch, other_seed)}) == 3
    assert names(iter_samples(form)) == names(iter_samples(form, epoch=3))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("readers_of", [(0, 1), (1, 2), (3, 16)])
@pytest.mark.parametrize("shuffle", [None, 7])
def test_a_state_is_followed_by_the_rest(
    form: str, readers_of: tuple[int, int], shuffle: int | None
) -> None:
    options: dict[str, Any] = {"shuffle": shuffle, "split": readers_of, "epoch": 2}
    whole = list(iter_samples(form, **options))
    for given in {0, 1, len(whole) // 3, len(whole) - 1, len(whole)}:
        samples = iter_samples(form, **options)
        assert list(islice(samples, given)) == whole[:given]
        state = samples.state()
        assert len(state) < 250
        assert isinstance(json.loads(state), dict)
        assert list(iter_samples(form, resume=state, **options)) == whole[given:]


def test_a_resumed_reader_says_the_same_states() -> None:
    samples = iter_samples("tar", shuffle=1)
    list(islice(samples, 90))
    resumed = iter_samples("tar", shuffle=1, resume=samples.state())
    for _ in range(100):
        assert next(samples) == next(resumed)
        assert samples.state() == resumed.state()


def test_of_several_states_the_furthest_of_this_reader_counts() -> None:
    one, other = (iter_samples("tar", shuffle=1, split=(rank, 2)) for rank in (0, 1))
    states = [other.state()]
    states += [one.state() for _ in islice(one, 50)]
    left = names(one)
    again = iter_samples("tar", shuffle=1, split=(0, 2), resume=reversed(states))
    assert names(again) == left
    fresh = iter_samples("tar", shuffle=1, split=(1, 2), resume=states)
    assert names(fresh) == names(other)


def test_a_state_of_something_else_is_refused_with_the_reason() -> None:
    state = iter_samples("tar", shuffle=1, epoch=4, split=(0, 2)).state()
    for form, options, said in (
        ("parquet", {}, "has data="),
        ("tar", {"shuffle": 2}, "has shuffle=1, but this call has shuffle=2"),
        ("tar", {"epoch": 5}, "has epoch=4, but this call has epoch=5"),
        ("tar", {"split": (0, 3)}, "has readers=2, but this call has readers=3"),
        ("tar", {"split": (1, 2)}, "has reader=0, but this call has reader=1"),
        ("tar", {"resume": "{}"}, "'{}' is not a state of `iter_samples`"),
        ("tar", {"resume": state.replace('"unit":0', '"unit":-1')}, "is not a state of"),
    ):
        asked: dict[str, Any] = {"shuffle": 1, "epoch": 4, "split": (0, 2), "resume": state}
        with pytest.raises(ResumeError, match=said):
            iter_samples(form, **asked | options)


def test_a_state_is_of_the_shards_that_were_read(folder: Path) -> None:
    few = folder / "few"
    for form in ("tar", "parquet"):
        few.mkdir(exist_ok=True)
        (few / "1.txt").write_text("one\n")
        pack(few, folder / f"again-{form}", form=form)
        state = iter_samples(f"again-{form}").state()
        assert len(list(iter_samples(f"again-{form}", resume=state))) == 1
        (few / "1.txt").write_text("another, " * 1000)
        pack(few, folder / f"again-{form}", form=form)
        with pytest.raises(ResumeError, match="The state to resume has data="):
            iter_samples(f"again-{form}", resume=state)


def test_a_number_that_is_not_below_its_count_is_refused() -> None:
    for options in ({"split": (2, 2)}, {"split": (-1, 2)}, {"worker": (0, 0)}):
        with pytest.raises(ValueError, match="is an index from 0 and a count"):
            iter_samples("tar", **options)  # type: ignore[arg-type]


def send(pipe: Connection, one: dict[str, Any], states: list[str], stop: int) -> None:
    """A training process: each sample with the state after it; the first one dies at `stop`."""
    samples = iter_samples("tar", shuffle=3, resume=states, **one)
    for count, sample in enumerate(samples):
        if count == stop:
            os.kill(os.getpid(), signal.SIGKILL)
        pipe.send((sample.name, samples.state()))
    pipe.close()


def receive(world: int, workers: int, states: list[str], dies: dict[int, int]) -> list[str]:
    """Names that arrive from all readers, each a process; `states` gets the last of each."""
    forked = multiprocessing.get_context("fork")
    running = []
    for number, one in enumerate(readers(world, workers)):
        ours, theirs = forked.Pipe(duplex=False)
        process = forked.Process(target=send, args=(theirs, one, states, dies.get(number, -1)))
        process.start()
        theirs.close()
        running.append((process, ours))
    received = []
    for number, (process, pipe) in enumerate(running):
        last = None
        try:
            while True:
                name, last = pipe.recv()
                received.append(name)
        except EOFError:
            states += [last] if last else []
        process.join()
        assert process.exitcode == (-signal.SIGKILL if number in dies else 0)
    return received


@pytest.mark.parametrize("workers", [2, 4])
def test_a_killed_reader_resumes_and_every_sample_was_given_once(workers: int) -> None:
    """With 4 workers, eight readers share five tars sample by sample; with 2, each has its own."""
    states: list[str] = []
    before = receive(2, workers, states, dies={1: 17, 3: 2})
    assert len(before) < len(NAMES)
    after = receive(2, workers, states, dies={})
    assert Counter(before + after) == Counter(NAMES)


class Training:
    """A dataset of PyTorch, of names with the states after them; it finds its worker itself."""

    def __init__(self, form: str, states: list[str]) -> None:
        self.form, self.states = form, states

    def __iter__(self) -> Iterator[tuple[str, str]]:
        samples = iter_samples(self.form, shuffle=5, resume=self.states)
        for sample in samples:
            yield sample.name, samples.state()


@pytest.mark.parametrize("form", FORMS)
def test_the_workers_of_a_data_loader_share_the_samples_and_resume(form: str) -> None:
    torch = pytest.importorskip("torch.utils.data", reason=NO_TORCH)
    kind = type("Samples", (Training, torch.IterableDataset), {})
    states: list[str] = []
    batches = iter(torch.DataLoader(kind(form, []), batch_size=7, num_workers=2))
    given: list[str] = []
    for batch, after in islice(batches, 11):
        given += batch
        states.append(after[-1])
    del batches  # the workers have read more, which nobody has got
    for batch, _ in torch.DataLoader(kind(form, states), batch_size=7, num_workers=2):
        given += batch
    assert Counter(given) == Counter(NAMES)


def test_webdataset_reads_the_tars(folder: Path) -> None:
    tars = [str(path) for path in sorted((folder / "tar").iterdir())]
    found = list(webdataset.WebDataset(tars, shardshuffle=False, empty_check=False))
    assert [sample["__key__"] for sample in found] == sorted({key_of(name) for name in NAMES})
    for sample in found:
        ends = {end for end in sample if not end.startswith("__")}
        assert {f"{sample['__key__']}.{end}" for end in ends} <= set(NAMES)
        assert all(sample[end] == content(f"{sample['__key__']}.{end}") for end in ends)
    assert sum(len([end for end in sample if end[0] != "_"]) for sample in found) == len(NAMES)


def test_what_is_read_ahead_is_bounded_in_bytes() -> None:
    started: list[int] = []
    sizes = [3, 3, 3, 20, 1, 1, 1, 1, 1, 1]
    results = prefetch(
        started.append, range(10), threads=1, count=4, size_of=sizes.__getitem__, max_bytes=10
    )
    for given, _ in enumerate(results):
        time.sleep(0.02)  # whatever may start now has started
        ahead = [sizes[item] for item in started if item > given]
        assert sum(ahead) <= 10 or ahead == [20]
    assert len(started) == 10
