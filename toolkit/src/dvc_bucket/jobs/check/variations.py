"""What is changed from run to run, to find what results must not depend on."""

import platform
from dataclasses import dataclass, field

from dvc_bucket.base import kernels

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


@dataclass(frozen=True)
class Variation:
    """What is changed in a run.

    Attributes:
        title: for the report.
        changes: of the environment.
        one_cpu: it is kept on one CPU, so that programs count one.
        folder: name of the folder that the clone lies in.
    """

    title: str
    changes: dict[str, str] = field(default_factory=dict)
    one_cpu: bool = False
    folder: str = "clone"


ONE_THREAD = Variation("one thread, one CPU", dict.fromkeys(THREADS, "1"), one_cpu=True)
TIME_ZONE = Variation("time zone Asia/Kathmandu, locale C", {"TZ": "Asia/Kathmandu", "LC_ALL": "C"})
HASH_SEED = Variation("another hash seed", {"PYTHONHASHSEED": "7"})
FOLDER = Variation("another folder", folder="a clone, é")

#: The first run: as the machine is, kernels pinned.
FIRST = Variation("first run")

#: What is changed in every other further run: in one, and one by one.
PARTS = (ONE_THREAD, TIME_ZONE, HASH_SEED)
ALL_VARIED = Variation(
    "one thread, time zone Asia/Kathmandu, locale C, another hash seed, another folder",
    {name: value for part in PARTS for name, value in part.changes.items()},
    one_cpu=True,
    folder=FOLDER.folder,
)

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
            **ONE_THREAD.changes,
        },
        one_cpu=True,
    ),
)

#: Elsewhere nothing is pinned, and OpenBLAS's generic kernels are those that every CPU has.
_ARM = (
    Variation("kernels: generic ARMv8", {"OPENBLAS_CORETYPE": "ARMV8"}),
    Variation("kernels: the CPU's own, one thread", ONE_THREAD.changes, one_cpu=True),
)


def other_kernels() -> tuple[Variation, ...]:
    """Variations in which libraries choose other kernels, as on other CPUs."""
    return _X86 if platform.machine() in {"x86_64", "AMD64"} else _ARM
