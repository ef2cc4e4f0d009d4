"""What is changed from run to run, to find what results must not depend on."""

import platform
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from dvc_bucket.base import kernels
from dvc_bucket.jobs.check import preload

#: Variables that libraries take their number of threads from.
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_MAX_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
    "ARROW_IO_THREADS",
)


#: How titles of further runs begin.
CHANGED = "with changes of "

#: How the variables begin with which conditions are held within the commands of a stage.
INSIDE = "BUCKET_HELD_"


@dataclass(frozen=True)
class Variation:
    """What is changed in a run.

    Attributes:
        title: for the report.
        changes: of the environment.
        one_cpu: it is kept on one CPU, so that programs count one.
        folder: name of the folder that the clone lies in.
        inside: variables with which conditions are held within the commands of a stage.
    """

    title: str
    changes: dict[str, str] = field(default_factory=dict)
    one_cpu: bool = False
    folder: str = "clone"
    inside: dict[str, str] = field(default_factory=dict)

    @property
    def what(self) -> str:
        """What is changed, in words."""
        return self.title.removeprefix(CHANGED)


@dataclass(frozen=True)
class Condition:
    """A thing that is another one from run to run or from machine to machine.

    Attributes:
        name: for `--vary`.
        title: for the report, in a sentence.
        fixed: with it, each run has the same.
        others: with each of them, a run has another one. Chance may give the same bytes with one.
    """

    name: str
    title: str
    fixed: Variation
    others: Sequence[Variation]

    @property
    def is_inside(self) -> bool:
        """Whether it is held within the programs of a stage, which these may not bear."""
        return bool(self.fixed.inside)


def _of(name: str, title: str, variable: str, *values: str) -> Condition:
    """A condition that a variable sets: first as it is held, then otherwise."""
    inside = variable.startswith(INSIDE)
    fixed, *others = (
        Variation(
            title,
            changes={} if inside else {variable: value},
            inside={variable: value} if inside else {},
        )
        for value in values
    )
    return Condition(name, title, fixed, others)


#: The clock stands at the beginning of this process, or later: another minute, hour, day and month;
#: and another year, by so much that certificates may have expired. Durations are measured then.
_NOW = int(time.time())
_LATER = (f"{_NOW + 40 * 86_400 + 3600 + 60 + 1} runs", f"{_NOW + 400 * 86_400} runs")

_ONE_THREAD = dict.fromkeys(THREADS, "1")

#: `in_clone/_bucket_held` reads them.
_LISTING = f"{INSIDE}LISTING"

#: By name: what is varied. `others` of the same number together in one run.
CONDITIONS = {
    condition.name: condition
    for condition in (
        _of("clock", "the clock", preload.CLOCK, str(_NOW), *_LATER),
        _of("random", "random numbers without a seed", preload.CHANCE, "1", "2"),
        _of("seed", "the hash seed", "PYTHONHASHSEED", "0", "7", "1", "2"),
        Condition(
            "threads",
            "the number or order of threads",
            Variation("one thread, one CPU", _ONE_THREAD, one_cpu=True),
            [Variation("all CPUs")] * 3,
        ),
        _of("zone", "the time zone", "TZ", "UTC", "Asia/Kathmandu"),
        _of("locale", "the locale", "LC_ALL", "C.UTF-8", "C"),
        _of("listing", "the order of files in a folder", _LISTING, "sorted", "reversed"),
        Condition(
            "folder",
            "the folder",
            Variation("the same folder"),
            [Variation("another folder", folder="a clone, é")],
        ),
    )
}

#: The network cannot be held fixed, only cut off.
NO_NETWORK = Variation("no network", inside={preload.NO_NETWORK: "1"})

#: What further runs vary unless it is chosen. The clock goes on anyhow, and chance is another.
USUAL = ("threads", "zone", "locale", "seed", "listing", "folder")

#: The first run: as the machine is, kernels pinned.
FIRST = Variation("first run")


def together(title: str, parts: Iterable[Variation]) -> Variation:
    """Several variations in one; later ones count."""
    whole = Variation(title)
    for part in parts:
        folder = part.folder if part.folder != FIRST.folder else whole.folder
        changes, inside = whole.changes | part.changes, whole.inside | part.inside
        whole = Variation(title, changes, whole.one_cpu or part.one_cpu, folder, inside)
    return whole


def held(conditions: Iterable[Condition], varied: Collection[str] = (), turn: int = 0) -> Variation:
    """All conditions fixed, but for some that are varied.

    Args:
        conditions: all that are looked at.
        varied: names of those that are not fixed.
        turn: which of the other ones they have.
    """
    parts = [
        condition.others[turn % len(condition.others)]
        if condition.name in varied
        else condition.fixed
        for condition in conditions
    ]
    return together(", ".join(varied) or "all fixed", parts)


def further(names: Collection[str], turn: int) -> Variation:
    """A further run in which conditions are others than the machine's; the first run's elsewhere.

    Args:
        names: of the conditions.
        turn: number of the run, from 0.
    """
    parts = [
        # The first run has all CPUs.
        condition.fixed if name == "threads" else condition.others[turn % len(condition.others)]
        for name, condition in CONDITIONS.items()
        if name in names
    ]
    titles = [CONDITIONS[name].title for name in CONDITIONS if name in names]
    return together(f"{CHANGED}{', '.join(titles)}", parts)


#: Old numpy's and new numpy's names of all that is beyond SSE4.2.
_NUMPY_ALL = f"{kernels.AVX2['NPY_DISABLE_CPU_FEATURES']} X86_V3 AVX F16C FMA3 AVX2"

#: glibc's own choice, for exp, log, sin and others: as on a CPU without them.
#: Source: The GNU C Library manual, "Hardware Capability Tunables" (with the names before 2.33).
_FEATURES = "AVX512F AVX512VL AVX512BW AVX512DQ AVX2 FMA AVX2_Usable FMA_Usable"
_GLIBC = "glibc.cpu.hwcaps=" + ",".join(f"-{name}" for name in _FEATURES.split())

_X86 = (
    Variation("kernels: the CPU's own", {kernels.SWITCH: kernels.OWN}),
    Variation(
        "kernels: Nehalem (SSE4.2, 2008)",
        {
            "OPENBLAS_CORETYPE": "Nehalem",
            "NPY_DISABLE_CPU_FEATURES": _NUMPY_ALL,
            "ARROW_USER_SIMD_LEVEL": "SSE4_2",
            "GLIBC_TUNABLES": _GLIBC,
        },
    ),
    Variation(
        "kernels: Sandy Bridge (AVX, 2011), one thread",
        {
            "OPENBLAS_CORETYPE": "Sandybridge",
            "NPY_DISABLE_CPU_FEATURES": _NUMPY_ALL,
            "ARROW_USER_SIMD_LEVEL": "NONE",
            "GLIBC_TUNABLES": _GLIBC,
            **_ONE_THREAD,
        },
        one_cpu=True,
    ),
)

#: Elsewhere nothing is pinned, and OpenBLAS's generic kernels are those that every CPU has.
_ARM = (
    Variation("kernels: generic ARMv8", {"OPENBLAS_CORETYPE": "ARMV8"}),
    Variation("kernels: the CPU's own, one thread", _ONE_THREAD, one_cpu=True),
)


def other_kernels() -> tuple[Variation, ...]:
    """Variations in which libraries choose other kernels, as on other CPUs."""
    return _X86 if platform.machine() in {"x86_64", "AMD64"} else _ARM
