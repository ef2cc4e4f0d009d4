"""Holds clock and random numbers in programs of any language, by libfaketime where it is installed.

Python, R and bash hold more by themselves (`in_clone`); what their libraries in C read of the clock
comes from here. Source of the variables: libfaketime 0.9.10, README.
"""

import subprocess
import time
from collections.abc import Mapping
from functools import cache

#: Conditions, as `in_clone/_bucket_held` reads them.
CLOCK, CHANCE = "BUCKET_HELD_CLOCK", "BUCKET_HELD_CHANCE"
NO_NETWORK = "BUCKET_HELD_NO_NETWORK"

#: In any value, libfaketime is left out: there are programs that do not bear it.
WITHOUT = "BUCKET_HELD_WITHOUT_PRELOAD"

#: Said of conditions where it is not installed.
LACKING = (
    "libfaketime is not installed, so the clock is changed in Python only, and random numbers in "
    "Python, R and bash (Debian: apt-get install faketime)."
)

#: Spreads a small number over 64 bits: libfaketime makes zeros of one that fits into the lower 32.
SPREAD, BITS_64 = 0x9E3779B97F4A7C15, 2**64 - 1

#: Programs wait by the monotonic clock, and times of files are the disk's.
ALWAYS = {"FAKETIME_FMT": "%s", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}


@cache
def library() -> str:
    """What is preloaded, as libfaketime's own program says it; empty if it is not installed."""
    command = ["faketime", "-m", "now", "printenv", "LD_PRELOAD"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return said.stdout.strip() if said.returncode == 0 else ""


def variables(inside: Mapping[str, str]) -> dict[str, str]:
    """Variables by which libfaketime holds conditions; none if it holds none of them here.

    Args:
        inside: the conditions.
    """
    held = {}
    if clock := inside.get(CLOCK):
        seconds, *runs = clock.split()
        held["FAKETIME"] = f"+{int(seconds) - int(time.time())}" if runs else seconds
    if chance := inside.get(CHANCE):
        held["FAKERANDOM_SEED"] = hex(int(chance) * SPREAD & BITS_64)
    if not held or WITHOUT in inside or not library():
        return {}
    return {"LD_PRELOAD": library()} | ALWAYS | held
