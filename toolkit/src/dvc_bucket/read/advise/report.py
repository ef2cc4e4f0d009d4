"""Advice as people read it, and as programs do."""

import shutil
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.files import readable_size
from dvc_bucket.base.words import counted

if TYPE_CHECKING:
    from dvc_bucket.read.advise import Advice

#: Numbers of reads that are shown beside the one that was asked for.
READS = (1, 10)


def text(advice: "Advice") -> str:
    """The advice, why, and what was measured."""
    costs, speeds = advice.costs, advice.speeds
    several = sorted({*READS, advice.reads})
    rows = [
        f"{'stage, then read':18}" + "".join(f"{costs.staged(reads):12.1f} s" for reads in several),
        f"{'stream':18}" + "".join(f"{costs.streamed(reads):12.1f} s" for reads in several),
    ]
    head = " " * 18 + "".join(counted(reads, "read").rjust(14) for reads in several)
    return "\n".join(
        [
            f"{advice.way.capitalize()} it. {_why(advice)}",
            "",
            head,
            *rows,
            "",
            f"{advice.path}: {counted(advice.files, 'file')}, "
            f"{readable_size(advice.size)}; a streamed read takes {readable_size(advice.touched)} "
            f"in about {counted(advice.requests, 'request')}.",
            f"The bucket answers in {1000 * speeds.latency:.1f} ms; one stream "
            f"{_rate(speeds.one_stream)}, many onto the disk {_rate(speeds.many_streams)}.",
            f"The disk at {advice.folder} writes {_rate(speeds.disk)}"
            + (f". {room}" if (room := _room(advice)) else "."),
        ]
    )


def plain(advice: "Advice") -> dict[str, Any]:
    """The same for a program; seconds, bytes, bytes a second."""
    costs, speeds = advice.costs, advice.speeds
    return {
        "path": advice.path,
        "way": advice.way,
        "reads": advice.reads,
        "stage_from_reads": costs.turn,
        "stage": {
            "seconds": costs.staged(advice.reads),
            "fetch_seconds": costs.lookup + costs.fetch,
            "read_seconds": costs.local,
            "bytes": advice.size,
        },
        "stream": {
            "seconds": costs.streamed(advice.reads),
            "read_seconds": costs.lookup + costs.stream,
            "bytes": advice.reads * advice.touched,
            "requests": advice.reads * advice.requests,
        },
        "files": advice.files,
        "folder": str(advice.folder),
        "latency_seconds": speeds.latency,
        "one_stream": speeds.one_stream,
        "many_streams": speeds.many_streams,
        "disk": speeds.disk,
    }


def _why(advice: "Advice") -> str:
    turn = advice.costs.turn
    if turn is None:
        return "A streamed read is as fast as one from the disk, however often."
    if turn == 1:
        return "Even once, it is faster from the disk."
    return f"Staging is the faster way from {turn:,} reads on."


def _rate(speed: float) -> str:
    return f"{readable_size(speed)}/s"


def _room(advice: "Advice") -> str:
    free = shutil.disk_usage(advice.folder).free
    if free > advice.size:
        return ""
    return f"It has room for {readable_size(free)} only: staging needs another (--to DIR)"
