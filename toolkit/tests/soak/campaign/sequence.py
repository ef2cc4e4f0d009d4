"""Sequences of steps, each compared with the ledger, and the figures of all of them."""

import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import cast

from tests.soak.campaign import commands, hostile, user
from tests.soak.campaign.faults import Fault, Outcome, Runner, clear_locks
from tests.soak.campaign.inventory import Inventory, Taker
from tests.soak.campaign.ledger import Allowed, Loss, losses, unproven
from tests.soak.campaign.sandbox import Sandbox

#: Steps of a sequence.
MIN_STEPS, MAX_STEPS = 8, 12

#: Share of the steps that are the user's, and of those that are a hostile writer's.
USERS, HOSTILE = 0.45, 0.06

#: Share of the commands that meet a fault, and how often each of these is chosen.
FAULTED = 0.4
FAULTS: Mapping[Fault, int] = {"kill": 6, "disk": 3, "store": 2}

HOSTILE_STEPS: Mapping[str, user.Doing] = {
    "hostile-list": hostile.hostile_list,
    "hostile-object": hostile.hostile_object,
}

#: What reads the paths that a hostile writer chose.
READERS = ("cp", "provenance", "pull", "verify")

#: Steps that are dangerous one after another, for which chance alone would need long; and the share
#: of the sequences that have one of these.
MOTIFS = (
    ("unfinished", "gc"),
    ("unfinished", "push", "gc", "gc"),
    ("film", "film", "hostile-object", "prune"),
    ("write", "add", "edit-data", "clean"),
    ("edit-data", "add", "edit-data", "pull"),
    ("hook", "hooks", "hooks"),
    ("stages", "reproduce", "check"),
    ("stages", "commit", "check"),
    ("link", "cp"),
    ("link", "provenance"),
    ("link", "clean"),
    ("work-tree", "gc"),
    ("hostile-object", "clean", "pull"),
    ("cp", "edit", "cp", "provenance"),
)
WITH_MOTIF = 0.6


@dataclass
class Figures:
    """What a campaign did."""

    sequences: int = 0
    steps: int = 0
    commands: int = 0
    kill: int = 0
    disk: int = 0
    store: int = 0
    refusals: int = 0
    contents: int = 0
    seconds: float = 0

    def __str__(self) -> str:
        return (
            f"{self.sequences} sequences, {self.steps} steps, {self.commands} runs of commands, "
            f"{self.kill} kills, {self.disk} full disks, {self.store} stops of the store, "
            f"{self.refusals} refusals, {self.contents} contents compared, {self.seconds:.0f} s"
        )


class FailedError(AssertionError):
    """A sequence that failed: its seed, its steps and the fault."""


class Campaign:
    """Sequences in one sandbox.

    Args:
        box: the sandbox.
        seed: of all choices.
        table: the commands and their words.
        say: hears what is done.
    """

    def __init__(
        self,
        box: Sandbox,
        seed: str,
        table: Mapping[str, Sequence[str]] = commands.COMMANDS,
        say: Callable[[str], None] = print,
    ) -> None:
        self.figures = Figures()
        self._box, self._seed, self._table, self._say = box, seed, table, say
        self._runner = Runner(box, Random(seed))

    def plan(self, number: int) -> list[str]:
        """The steps of a sequence: `NAME`, or `NAME+FAULT`."""
        random = Random(f"{self._seed}-{number}")
        steps: list[str] = []
        motif = random.choice(MOTIFS) if random.random() < WITH_MOTIF else ()
        length = random.randint(MIN_STEPS, MAX_STEPS)
        while len(steps) < length - len(motif):
            share = random.random()
            if share < USERS:
                weights = [weight for _, weight in user.STEPS.values()]
                steps += random.choices(list(user.STEPS), weights)
            elif share < USERS + HOSTILE:
                steps += [random.choice(list(HOSTILE_STEPS)), random.choice(READERS)]
            else:
                names = list(self._table)
                [name] = random.choices(names, [commands.weight(name) for name in names])
                steps.append(name)
        at = random.randint(0, len(steps))
        return [self._perhaps_faulted(step, random) for step in [*steps[:at], *motif, *steps[at:]]]

    def _perhaps_faulted(self, name: str, random: Random) -> str:
        if name not in self._table or random.random() >= FAULTED:
            return name
        [fault] = random.choices(list(FAULTS), list(FAULTS.values()))
        return f"{name}+{fault if self._box.disk or fault != 'disk' else 'kill'}"

    def run(self, number: int, steps: Sequence[str] = ()) -> None:
        """Run a sequence: the planned steps, or these. A step `-` is left out.

        Raises:
            FailedError: a content was lost, or a command did not end as it should.
        """
        steps, start = steps or self.plan(number), time.monotonic()
        self._box.restore()
        day = _Day(self._box, self._runner, self.figures, self._table)
        try:
            for index, step in enumerate(steps):
                if step != "-":
                    day.step(step, Random(f"{self._seed}-{number}-{index}"))
            day.end()
        except AssertionError as error:
            raise FailedError(
                f"{error}\nsequence {number} of seed {self._seed}:\n  " + "\n  ".join(day.done)
            ) from error
        finally:
            self.figures.sequences += 1
            self.figures.seconds += time.monotonic() - start
        self._say(f"sequence {number}: {' '.join(steps)}")


class _Day:
    """One sequence as it goes."""

    def __init__(
        self,
        box: Sandbox,
        runner: Runner,
        figures: Figures,
        table: Mapping[str, Sequence[str]],
    ) -> None:
        self._box, self._runner, self._figures, self._table = box, runner, figures, table
        self._taker = Taker(box)
        self._now = self._taker.take()
        self._unproven: frozenset[str] = frozenset()
        self._written: dict[str, str] = {}
        self.done: list[str] = []

    def step(self, step: str, random: Random) -> None:
        """Do a step and compare."""
        self._figures.steps += 1
        name, _, fault = step.partition("+")
        if name in self._table:
            self._box.set_up()
            self._runner.random = random
            command = commands.make(name, self._box, random, self._table)
            self._run(command, cast("Fault | None", fault or None))
            return
        doing = HOSTILE_STEPS.get(name) or user.STEPS[name][0]
        self.done.append(name)
        allowed = doing(self._box, random)
        self._compare(self._now, allowed)

    def end(self) -> None:
        """Read every object again."""
        self.done.append("(the end)")
        self._compare(self._now, lambda *_: False, deep=True)

    def _run(self, command: commands.Command, fault: Fault | None) -> None:
        before = self._now
        allowed = command.allowed(self._box, before, self._written)
        text = shlex.join(command.words)
        if fault:
            self.done.append(f"{command.name}: {text}  ({fault})")
            outcome = self._runner.with_fault(command.words, fault)
            setattr(self._figures, fault, getattr(self._figures, fault) + 1)
            self._heard(command, outcome, may_be_killed=fault == "kill")
            after = self._taker.take()
            self._unproven |= unproven(before, after)
            self._check(before, after, allowed)
            self._note(command, before, after)
            clear_locks(self._box)
        self.done.append(f"{command.name}: {text}")
        outcome = self._runner.whole(command.words)
        self._compare(before, allowed)
        self._note(command, before, self._now)
        self._heard(command, outcome)

    def _heard(
        self, command: commands.Command, outcome: Outcome, *, may_be_killed: bool = False
    ) -> None:
        """Note how a command ended; it must have ended in words."""
        self._figures.commands += 1
        last = outcome.said.strip().splitlines()[-1:] or [""]
        self.done[-1] += f"  -> {outcome.status}: {last[0][:200]}"
        if may_be_killed:
            return
        self._figures.refusals += outcome.status != 0
        if complaint := outcome.complaint():
            raise AssertionError(f"{shlex.join(command.words)}: {complaint}\n{outcome.said}")

    def _compare(self, before: Inventory, allowed: Allowed, *, deep: bool = False) -> None:
        self._now = self._taker.take(deep=deep)
        self._check(before, self._now, allowed)

    def _check(self, before: Inventory, after: Inventory, allowed: Allowed) -> None:
        self._figures.contents += len(before.places)
        lost: list[Loss] = losses(before, after, allowed, self._unproven)
        if lost:
            raise AssertionError("LOST:\n  " + "\n  ".join(map(str, lost)))
        self._unproven -= frozenset(_proven(after))

    def _note(self, command: commands.Command, before: Inventory, after: Inventory) -> None:
        """Note what a command wrote below its output folder."""
        if command.target is None:
            return
        root = command.target.resolve()
        known = before.files()
        for name, places in after.places.items():
            for place in places:
                path = (self._box.root / place.path).resolve()
                is_below = path.is_relative_to(root) or path == root.with_name(f"{root.name}.zip")
                if (
                    place.kind == "file"
                    and is_below
                    and known.get(place.path) != after.contents[name]
                ):
                    self._written[place.path] = name


def _proven(found: Inventory) -> set[str]:
    """Contents that a name proves to be whole."""
    return {
        name
        for name, places in found.places.items()
        if any(place.kind != "file" for place in places)
    }
