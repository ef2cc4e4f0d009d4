"""What is wrong with this machine, as the output of programs says."""

import errno
import os
import re

#: What is wrong with a machine, the numbers of the system's errors that say it, and what else
#: programs print then: Python, numpy, R, C++, Java, CUDA, Dask, Jupyter, sqlite, OpenBLAS, OpenMP.
SAID = {
    "the disk or quota is full": (
        (errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
        r"database or disk is full",
    ),
    "the disk fails or is read-only": ((errno.EIO, errno.EROFS), r"disk I/O error"),
    "memory is short": (
        (errno.ENOMEM,),
        r"^[\w.]*MemoryError\b|SIGKILL|std::bad_alloc|java\.lang\.OutOfMemoryError"
        r"|CUDA out of memory|^Error: cannot allocate (?:vector|memory)",
    ),
    "a process was killed from outside, as happens when memory is short": (
        (),
        r"\bBrokenProcessPool\b|\bKilledWorker\b|\bDeadKernelError\b"
        r"|its Python ended, or was killed|^(?:.*: line \d+: +\d+ )?Killed\b",
    ),
    "too many files are open (`ulimit -n`)": ((errno.EMFILE, errno.ENFILE), ""),
    "too many processes run (`ulimit -u`)": (
        (),
        r"can't start new thread|[Ff]ork: .*Resource temporarily unavailable"
        r"|pthread_create failed|Thread creation failed",
    ),
}

#: Of a stage that may use the network: words of the system and of Python where there is none.
NO_NETWORK = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ECONNREFUSED, errno.ETIMEDOUT)
NO_ANSWER = r"[Nn]ame resolution|Name or service not known|timed out|Could not resolve host"


def of_text(text: str, *, uses_network: bool = False) -> str:
    """What a program's output says is wrong with this machine, in a sentence; else empty."""
    for what, (numbers, words) in SAID.items():
        if _is_said(text, numbers, words):
            return f"On this machine {what}."
    if uses_network and _is_said(text, NO_NETWORK, NO_ANSWER):
        return "A network service that it uses does not answer here."
    return ""


def _is_said(text: str, numbers: tuple[int, ...], words: str) -> bool:
    if any(os.strerror(n) in text or f"[Errno {n}]" in text for n in numbers):
        return True
    return bool(words and re.search(words, text, re.MULTILINE))
