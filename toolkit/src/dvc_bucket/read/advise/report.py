"""Advice as people read it, and as programs do."""

import shutil
from typing import Any

from dvc_bucket.base.files import readable_size
from dvc_bucket.base.words import counted
from dvc_bucket.read.advise import Advice

#: Numbers of reads that are shown beside the one that was asked for.
READS = (1, 10)


def text(advice: Advice) -> str:
    """The recommended way, the times of both, and what was measured."""
    several = sorted({*READS, advice.reads})
    read = advice.read
    free = shutil.disk_usage(advice.folder).free
    room = f"{advice.folder} has only {readable_size(free)} free: name another folder with --to."
    return "\n".join(
        [
            f"{advice.way.capitalize()} it. {_reason(advice.stage_from)}",
            "",
            " " * 18 + "".join(counted(reads, "read").rjust(14) for reads in several),
            "stage, then read  " + "".join(f"{advice.staged(reads):12.1f} s" for reads in several),
            "stream            "
            + "".join(f"{advice.streamed(reads):12.1f} s" for reads in several),
            "",
            f"{advice.path}: {counted(advice.files, 'file')}, {readable_size(advice.size)}; a "
            f"streamed read transfers {readable_size(read.touched)} in about "
            f"{counted(read.requests, 'request')}.",
            f"The bucket answers in {1000 * advice.latency:.1f} ms; "
            f"copies arrive at {readable_size(read.bandwidth)}/s.",
            *([room] if free < advice.size else []),
        ]
    )


def plain(advice: Advice) -> dict[str, Any]:
    """The same for a program; seconds, bytes, bytes a second."""
    return {
        "path": advice.path,
        "way": advice.way,
        "reads": advice.reads,
        "stage_from_reads": advice.stage_from,
        "stage": {
            "seconds": advice.staged(advice.reads),
            "fetch_seconds": advice.fetch,
            "read_seconds": advice.read.local,
            "bytes": advice.size,
        },
        "stream": {
            "seconds": advice.streamed(advice.reads),
            "read_seconds": advice.streamed(1),
            "bytes": advice.reads * advice.read.touched,
            "requests": advice.reads * advice.read.requests,
        },
        "files": advice.files,
        "folder": str(advice.folder),
        "latency_seconds": advice.latency,
        "bandwidth": advice.read.bandwidth,
    }


def _reason(stage_from: int | None) -> str:
    if stage_from is None:
        return "Streaming is as fast as reading from the disk."
    if stage_from == 1:
        return "Staging is faster even for one read."
    return f"Staging becomes faster at {stage_from:,} reads."
