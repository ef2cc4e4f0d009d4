"""What a stage does before its first partition and after its last: two partitions of nothing."""

import os

import pipeline.features  # noqa: F401 (what a stage imports)

from dvc_bucket import pin_kernels
from dvc_bucket.stages import map_partitions


def nothing(_: int) -> int:
    """Say which process this is."""
    return os.getpid()


if __name__ == "__main__":
    pin_kernels()
    map_partitions(nothing, {"one": 1, "two": 2}, label="start")
