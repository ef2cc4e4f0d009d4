"""The CPU's part in the results: which compiled kernels numpy, BLAS and Arrow choose.

They look at the CPU and take the widest that it has, and kernels of another width sum in another
order, so that the last digits depend on the machine. Pinned to what every x86-64 CPU with AVX2 and
FMA has (Intel since 2013, AMD since 2015), they are the same on all of these.
"""

import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path

#: Set to `own`, nothing is pinned: each library takes what suits the CPU best.
SWITCH = "BUCKET_KERNELS"
OWN = "own"

#: What names a kernel, by library, and its value for CPUs with AVX2 and FMA.
#: Sources: OpenBLAS, README "Setting the core type at runtime" (Zen's kernels are Haswell's there);
#: NumPy, "Runtime Dispatch" (names up to 2.3 and from 2.4 on; one that a release does not know it
#: passes over); Arrow C++, "Environment Variables".
AVX2 = {
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL "
    "AVX512_SPR X86_V4",
    "ARROW_USER_SIMD_LEVEL": "AVX2",
}

#: What the CPU must have for these, in the words of Linux.
NEEDED = {"avx2", "fma"}


def pins(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that pin the kernels, but for those that the environment sets itself.

    None where it says so, and on a CPU that lacks what they name: forced, the kernels would crash.
    """
    if environment.get(SWITCH) == OWN or not _has_avx2():
        return {}
    return {name: value for name, value in AVX2.items() if name not in environment}


def kernel_variables() -> dict[str, str]:
    """The variables of the environment that choose kernels; empty text for those not set."""
    return {name: os.environ.get(name, "") for name in AVX2}


def pin_kernels() -> None:
    """Run this program with pinned kernels; restarts it once if they are not pinned yet.

    A restart is needed because the libraries read the variables when they are loaded.
    """
    if missing := pins(os.environ):
        sys.stdout.flush()
        sys.stderr.flush()
        command = [sys.executable, *sys.orig_argv[1:]]
        os.execve(sys.executable, command, os.environ | missing)  # noqa: S606 (no shell: on purpose)


def _has_avx2() -> bool:
    if platform.machine() not in {"x86_64", "AMD64"}:
        return False
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux: not known, so nothing is forced
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return set(flags.partition(":")[2].split()) >= NEEDED
