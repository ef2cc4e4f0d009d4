"""Which part of an epoch a process reads, in which order, and where it stopped.

All readers list the same units (row groups, tars, files) in the same order, which seed and epoch
give, and each takes its part by counting. So nothing is lost or doubled, and nobody has to talk.
"""

import random
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from dvc_bucket.base.errors import ResumeError

Unit = TypeVar("Unit")


class Position(NamedTuple):
    """Where a reader is; samples are mixed block by block.

    Attributes:
        block: number of the block.
        given: files of the block that were given.
        unit: number, in the reader's part, of the unit where the block begins.
        skip: samples of the reader in that unit that are in earlier blocks.
    """

    block: int = 0
    given: int = 0
    unit: int = 0
    skip: int = 0


class State(BaseModel):
    """A reader's position, and what it is a position in."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    data: str
    shuffle: int | None
    epoch: int
    reader: NonNegativeInt
    readers: NonNegativeInt
    block: NonNegativeInt
    given: NonNegativeInt
    unit: NonNegativeInt
    skip: NonNegativeInt


class Share(NamedTuple, Generic[Unit]):
    """A unit of which a reader has every `step`-th sample from `first` on."""

    unit: Unit
    first: int = 0
    step: int = 1


@dataclass(frozen=True)
class Epoch:
    """An epoch as one of its readers sees it.

    Attributes:
        shuffle: the seed; None for the order of the names.
        epoch: number of the epoch: another one is another order.
        reader: number of this reader.
        readers: how many there are.
    """

    shuffle: int | None
    epoch: int
    reader: int = 0
    readers: int = 1

    def mixed(self, items: Iterable[Unit], *place: int) -> list[Unit]:
        """Items in a random order that depends on seed, epoch and place alone; as they are without.

        Args:
            items: to mix.
            place: numbers that tell this use of chance from others.
        """
        mixed = list(items)
        if self.shuffle is not None:
            seed = " ".join(map(str, (self.shuffle, self.epoch, *place)))
            random.Random(seed).shuffle(mixed)  # noqa: S311 (no secret)
        return mixed

    def shares(self, units: Sequence[Unit], *, whole: bool) -> list[Share[Unit]]:
        """This reader's part of the units.

        Every `readers`-th unit, if there is one for each reader. Else every `readers`-th sample of
        every unit; the unit's number turns the count, so that the last samples go round.

        Args:
            units: all of them.
            whole: never part a unit.
        """
        mixed = self.mixed(units)
        if whole or len(mixed) >= self.readers:
            return [Share(unit) for unit in mixed[self.reader :: self.readers]]
        return [
            Share(unit, (self.reader - number) % self.readers, self.readers)
            for number, unit in enumerate(mixed)
        ]

    def state(self, data: str, position: Position) -> str:
        """A position in some data as a text of JSON."""
        plain = {"data": data, **vars(self), **position._asdict()}
        return State(**plain).model_dump_json()

    def start(self, data: str, resume: str | Iterable[str] | None) -> Position:
        """Where to begin.

        Args:
            data: that is read now.
            resume: the state of this reader; or states of any readers, of which the furthest of
                this reader counts, and none is the beginning.

        Raises:
            ResumeError: one is no state, or of other data, another order or other readers.
        """
        if resume is None:
            return Position()
        is_own = isinstance(resume, str)
        states = [_parsed(text) for text in ([resume] if isinstance(resume, str) else resume)]
        now = {"data": data, **vars(self)}
        for state in states:
            for name, value in now.items():
                stated = getattr(state, name)
                if stated != value and (is_own or name != "reader"):
                    raise ResumeError(
                        f"The state to resume has {name}={stated!r}, but this call has "
                        f"{name}={value!r}. Use the same arguments and number of processes as "
                        "before, or restart the epoch without `resume`."
                    )
        return max(
            (
                Position(state.block, state.given, state.unit, state.skip)
                for state in states
                if state.reader == self.reader
            ),
            default=Position(),
        )


def _parsed(text: str) -> State:
    try:
        return State.model_validate_json(text)
    except ValidationError:
        raise ResumeError(
            f"{str(text)[:80]!r} is not a state of `iter_samples`. Pass the return value of its "
            "method `state()`, or a list of these."
        ) from None


def of_reader(
    shuffle: int | None,
    epoch: int,
    split: tuple[int, int],
    worker: Literal["auto"] | tuple[int, int],
) -> Epoch:
    """The epoch of one reader.

    Args:
        shuffle: the seed.
        epoch: its number.
        split: (rank, world).
        worker: (number, workers) in this rank; `auto` for what PyTorch says.

    Raises:
        ValueError: a number is not below its count.
    """
    number, workers = _torch_worker() if worker == "auto" else worker
    rank, world = split
    if not (0 <= rank < world and 0 <= number < workers):
        raise ValueError(
            f"split={split} and worker={worker}: a pair is an index from 0 and a count, such as "
            "split=(0, 2) for the first of two ranks."
        )
    return Epoch(shuffle, epoch, rank * workers + number, world * workers)


def _torch_worker() -> tuple[int, int]:
    """Number and count of the workers of PyTorch's DataLoader; (0, 1) outside of one.

    Only a process that has imported PyTorch is a worker of it.
    """
    data = sys.modules.get("torch.utils.data")
    worker = data.get_worker_info() if data else None
    return (worker.id, worker.num_workers) if worker else (0, 1)
