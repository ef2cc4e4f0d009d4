"""Which files the commands of a stage opened and where they connected to, by strace or by Python.

`choose` gives the tracer of this machine: words that come before a command, and have its processes
written down in a folder, as strace prints system calls. `read` makes a `Trace` of such a folder.
"""

import os
import re
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dvc_bucket.base.ports import is_this_machine
from dvc_bucket.jobs.check import in_clone

#: How strace is started. A file a process, so that no line is torn in two; descriptors with their
#: paths, so that no current folder has to be known; without --seccomp-bpf every call of a process
#: would stop it.
STRACE = shlex.split(
    "strace -ff -qq -y -s 4096 --seccomp-bpf -e signal=none "
    "-e trace=?open,openat,?openat2,?creat,connect,bind,getsockname -o"
)

#: `openat(AT_FDCWD</work>, "data.csv", O_RDONLY|O_CLOEXEC) = 3</work/data.csv>`
OPENED = re.compile(
    r'(?:open|openat|openat2|creat)\(.*"(?:\.\.\.)?, (?P<flags>.*)\) = \d+<(?P<path>.*)>$'
)

#: `connect(3<..>, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("192.0.2.1")}, 16)`
ADDRESS = re.compile(
    r"(?P<call>connect|bind|getsockname)\("
    r".*?sa_family=AF_INET6?, sin6?_port=htons\((?P<port>\d+)\)"
    r'.*?(?:inet_addr\(|AF_INET6, )"(?P<host>[^"]*)"'
)

DIRECTORY = "O_DIRECTORY"
WRITING = re.compile("O_WRONLY|O_RDWR|O_CREAT")


@dataclass
class Trace:
    """What the processes of a stage did.

    Attributes:
        read: absolute paths of files that they opened to read.
        written: the same, to write.
        peers: host and port of each connection.
        own: ports that they listened on.
    """

    read: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    peers: set[tuple[str, int]] = field(default_factory=set)
    own: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Trace":
        """What `plain` gave."""
        peers = {(host, port) for host, port in plain["peers"]}
        return cls({*plain["read"]}, {*plain["written"]}, peers, {*plain["own"]})

    @property
    def plain(self) -> dict[str, Any]:
        """Its values, as `json` has them."""
        return {name: sorted(values) for name, values in vars(self).items()}

    def strangers(self) -> list[tuple[str, int]]:
        """Host and port of each connection to a process that is not one of the stage."""
        return sorted(
            (host, port)
            for host, port in self.peers
            if not (port in self.own and is_this_machine(host))
        )


@dataclass(frozen=True)
class Tracer:
    """A way to trace commands.

    Attributes:
        prefix: the words before a command, from the folder to write to.
        title: a clause for the report that says how much it sees.
    """

    prefix: Callable[[Path], list[str]]
    title: str


def choose(environment: Mapping[str, str]) -> Tracer:
    """The tracer for commands with an environment on this machine."""
    with tempfile.TemporaryDirectory(prefix="bucket-strace-") as folder:
        command = [*_strace(Path(folder)), "true"]
        try:
            subprocess.run(command, env=environment, capture_output=True, check=True)
        except FileNotFoundError:
            why = "strace is not on the PATH"
        except (subprocess.CalledProcessError, PermissionError):
            why = "strace is not permitted here"
        else:
            return Tracer(_strace, "strace: every file and connection of every process")
    paths = [str(Path(in_clone.__file__).parent), environment.get("PYTHONPATH", "")]
    variable = f"PYTHONPATH={os.pathsep.join(filter(None, paths))}"
    return Tracer(
        lambda folder: ["env", f"BUCKET_AUDIT={folder}", variable],
        f"Python's audit events, because {why}: only files and connections of Python code, not "
        "those of C or C++ libraries or other programs",
    )


def read(folder: Path) -> Trace | None:
    """What the tracer wrote into its folder; None if it wrote nothing at all."""
    trace = Trace()
    files = list(folder.glob("trace.*"))
    for file in files:
        with file.open(encoding="utf-8", errors="surrogateescape") as lines:
            for line in lines:
                if line.endswith("\n"):  # the last one of a process that was killed can be half
                    _add(trace, line[:-1])
    return trace if files else None


def _strace(folder: Path) -> list[str]:
    return [*STRACE, str(folder / "trace")]


def _add(trace: Trace, line: str) -> None:
    """Add a system call, as strace prints it."""
    if call := OPENED.match(line):
        if DIRECTORY not in call["flags"]:
            is_written = line.startswith("creat") or WRITING.search(call["flags"])
            (trace.written if is_written else trace.read).add(_unescaped(call["path"]))
    elif call := ADDRESS.match(line):
        if call["call"] == "connect":
            trace.peers.add((call["host"], int(call["port"])))
        else:
            trace.own.add(int(call["port"]))


def _unescaped(path: str) -> str:
    """A path as the kernel has it. strace escapes bytes in octal and by letter, as Python does."""
    return os.fsdecode(os.fsencode(path).decode("unicode_escape").encode("latin-1"))
