"""What is wrong with this machine, as the output of programs says."""

import errno
import os
import re

#: What a program prints where the machine fails it, and what that is.
SAID = {
    "the disk or quota is full": (errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
    "the disk fails or is read-only": (errno.EIO, errno.EROFS),
    "memory is short": (errno.ENOMEM,),
    "too many files are open (`ulimit -n`)": (errno.EMFILE, errno.ENFILE),
}
OF_PYTHON = re.compile(r"^MemoryError\b|SIGKILL", re.MULTILINE)


def of_text(text: str) -> str:
    """What a program's output says is wrong with this machine, in a sentence; else empty."""
    for what, numbers in SAID.items():
        if any(os.strerror(n) in text or f"[Errno {n}]" in text for n in numbers):
            return f"On this machine {what}."
    return "On this machine memory is short." if OF_PYTHON.search(text) else ""
