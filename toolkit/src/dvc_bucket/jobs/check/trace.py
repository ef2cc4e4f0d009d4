"""What the commands of stages opened and whom they connected to, as strace or Python told it."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

#: How strace is started. A file a process, so that no line is torn in two; descriptors with their
#: paths, so that no current folder has to be known; without --seccomp-bpf every call of a process
#: would stop it.
STRACE = (
    "strace", "-ff", "-qq", "-y", "-s", "4096", "--seccomp-bpf", "-e", "signal=none",
    "-e", "trace=?open,openat,?openat2,?creat,connect,bind,getsockname",
)  # fmt: skip

#: `openat(AT_FDCWD</work>, "data.csv", O_RDONLY|O_CLOEXEC) = 3</work/data.csv>`
OPENED = re.compile(
    r'(?:open|openat|openat2|creat)\(.*"(?:\.\.\.)?, (?P<flags>.*)\) = \d+<(?P<path>.*)>$'
)

#: `connect(3<..>, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("192.0.2.1")}, 16)`
ADDRESS = re.compile(
    r"(?P<call>connect|bind|getsockname)\("
    r".*?sa_family=AF_INET6?, sin6?_port=htons\((?P<port>\d+)\)"
    r'.*?(?:inet_addr\(|AF_INET6, )"(?P<host>[^"]+)"'
)

#: How strace writes bytes of a path that are no printable ASCII.
ESCAPED = re.compile(rb"\\([0-7]{1,3}|x[0-9a-f]{2}|.)")
LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"f": b"\f", b"v": b"\v"}

DIRECTORY = "O_DIRECTORY"
WRITING = ("O_WRONLY", "O_RDWR", "O_CREAT")


@dataclass
class Seen:
    """What a command did.

    Attributes:
        read: absolute paths of files that it opened to read.
        written: the same, to write.
        peers: host and port of each that it connected to.
        own: ports that it listened on itself.
    """

    read: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    peers: set[tuple[str, int]] = field(default_factory=set)
    own: set[int] = field(default_factory=set)

    def strangers(self) -> list[tuple[str, int]]:
        """Whom it connected to, without its own processes."""
        return sorted(
            (host, port) for host, port in self.peers if not (port in self.own and _is_here(host))
        )


def choose(environment: Mapping[str, str]) -> tuple[str, str]:
    """How commands can be traced on this machine, and a sentence that says what that shows.

    Returns:
        `strace` or `audit`, and the sentence.
    """
    if found := shutil.which("strace", path=environment.get("PATH")):
        with tempfile.TemporaryDirectory(prefix="bucket-strace-") as folder:
            done = subprocess.run(
                [found, *STRACE[1:], "-o", str(Path(folder) / "trace"), "true"],
                env=dict(environment),
                capture_output=True,
                check=False,
            )
        if done.returncode == 0:
            return "strace", "by strace: every file and connection of every process"
        why = "strace is not permitted here"
    else:
        why = "strace is not on the PATH"
    return (
        "audit",
        f"by Python's audit events, as {why}: files and connections of Python code alone; what C "
        "or C++ libraries or other programs open is not seen",
    )


def read(folder: Path) -> Seen:
    """What the tracer wrote about a command into its folder."""
    seen = Seen()
    for file in sorted(folder.iterdir()):
        if file.name.startswith("trace."):
            _read_strace(file, seen)
        elif file.name.startswith("audit."):
            _read_audit(file, seen)
    return seen


def has_trace(folder: Path) -> bool:
    """Whether the tracer wrote anything about a command."""
    return any(file.name.startswith(("trace.", "audit.")) for file in folder.iterdir())


def _read_strace(file: Path, seen: Seen) -> None:
    for line in _lines(file):
        if found := OPENED.match(line):
            if DIRECTORY not in found["flags"]:
                writes = line.startswith("creat") or any(one in found["flags"] for one in WRITING)
                (seen.written if writes else seen.read).add(_path(found["path"]))
        elif found := ADDRESS.match(line):
            if found["call"] == "connect":
                seen.peers.add((found["host"], int(found["port"])))
            else:
                seen.own.add(int(found["port"]))


def _read_audit(file: Path, seen: Seen) -> None:
    for line in _lines(file):
        event = json.loads(line)
        if "path" in event:
            (seen.written if event["writes"] else seen.read).add(os.path.realpath(event["path"]))
        elif "connect" in event:
            seen.peers.add((event["connect"][0], event["connect"][1]))
        else:
            seen.own.add(event["bind"][1])


def _lines(file: Path) -> Iterator[str]:
    """The whole lines of a file; the last one of a process that was killed can be half."""
    with file.open(encoding="utf-8", errors="surrogateescape") as stream:
        yield from (line[:-1] for line in stream if line.endswith("\n"))


def _path(text: str) -> str:
    """A path as the kernel has it, from what strace prints."""

    def byte(found: re.Match[bytes]) -> bytes:
        code = found[1]
        if code[:1].isdigit():
            return bytes([int(code, 8)])
        if code[:1] == b"x" and len(code) == 3:
            return bytes([int(code[1:], 16)])
        return LETTERS.get(code, code)

    return os.fsdecode(ESCAPED.sub(byte, os.fsencode(text)))


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
