"""What a stage needs while it runs, as its `meta` says: `{memory: 4GB, cpus: 2}`."""

import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from dvc_bucket.base.errors import ProjectError

#: Bytes of each unit. Those of storage and of memory are told apart by the `i`.
UNITS = {
    "": 1,
    **{f"{letter}B": 1000**power for power, letter in enumerate("KMGT", 1)},
    **{f"{letter}IB": 1024**power for power, letter in enumerate("KMGT", 1)},
}

AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]I?B)?", re.IGNORECASE)

#: Where Linux says how much memory the processes of a container, or of a job, may have.
CGROUP = Path("/sys/fs/cgroup/memory.max")


class Needs(NamedTuple):
    """What a stage needs: CPUs, and memory in bytes. Zero if it does not say."""

    cpus: float = 0
    memory: float = 0


class Room:
    """What stages that run at once share.

    Args:
        jobs: how many run at once at most.
        limits: the CPUs and the memory that all of them together may need; None for those of this
            machine, or of the job or container that this process is in.
    """

    def __init__(self, jobs: int, limits: Needs | None = None) -> None:
        self._jobs, self._limits = jobs, limits or available()
        self._taken: dict[str, Needs] = {}

    def take(self, stage: str, needs: Needs) -> bool:
        """Take room for a stage; False if there is none. One that is alone always has it."""
        wanted = [*self._taken.values(), needs]
        together = Needs(*map(math.fsum, zip(*wanted, strict=True)))
        fits = together.cpus <= self._limits.cpus and together.memory <= self._limits.memory
        if self._taken and (len(wanted) > self._jobs or not fits):
            return False
        self._taken[stage] = needs
        return True

    def give(self, stage: str) -> None:
        """Give the room of a stage back."""
        self._taken.pop(stage, None)


def read(stage: str, meta: Any) -> Needs:
    """The needs of a stage.

    Args:
        stage: its name, for messages.
        meta: of the stage, as in `dvc.yaml`. Other keys are passed over.

    Raises:
        ProjectError: a value is no amount.
    """
    if not isinstance(meta, Mapping):
        return Needs()
    cpus, memory = meta.get("cpus", 0), meta.get("memory", 0)
    if isinstance(cpus, bool) or not isinstance(cpus, int | float) or not 0 <= cpus < math.inf:
        raise ProjectError(
            f"dvc.yaml, stage {stage}: `meta: cpus` is {cpus!r}. Write a number of CPUs, as in "
            "`cpus: 2`."
        )
    match = None if isinstance(memory, bool) else AMOUNT.fullmatch(str(memory).strip())
    if not match:
        raise ProjectError(
            f"dvc.yaml, stage {stage}: `meta: memory` is {memory!r}. Write a number with KB, MB, "
            "GB or TB, as in `memory: 4GB`."
        )
    return Needs(cpus, float(match[1]) * UNITS[(match[2] or "").upper()])


def available() -> Needs:
    """CPUs that this process may use, and its memory."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = psutil.virtual_memory().total
    try:
        return Needs(cpus, min(memory, int(CGROUP.read_text(encoding="ascii"))))
    except (OSError, ValueError):  # no limit, or another system
        return Needs(cpus, memory)
