"""A real Slurm of one or two nodes, in namespaces of its own; what a user types there."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil

from tests.cluster import packages

HERE = Path(__file__).parent
TOOLS = Path(sys.executable).parent

#: No user of a real machine, but one who is not root.
UID = 23456

READY_SECONDS = 30

#: States of a job that is over.
OVER = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL"}


class SlurmNode:
    """A cluster whose first node is also where a user logs in: start, submit, cancel, look.

    Args:
        folder: for the homes of users and the scratch folders of jobs, as the nodes' `/srv/home`,
            which they share, and `/srv/scratch`, which they do not.
        nodes: how many, 1 or 2.
    """

    def __init__(self, folder: Path, nodes: int = 1) -> None:
        self.folder = folder
        self.nodes = nodes
        self.home = folder / "home" / "student"
        self.scratches = [folder / "scratch", folder / "scratch2"]
        self._unshare: subprocess.Popen[str] | None = None
        self._first = 0

    def start(self) -> None:
        """Start the node and return when it takes jobs."""
        self.home.mkdir(parents=True)
        for scratch in self.scratches:
            scratch.mkdir()
        os.chown(self.home, UID, UID)
        self._unshare = subprocess.Popen(
            [
                *("unshare", "-m", "-p", "-f", "-n", "-u", "--mount-proc", "--kill-child"),
                *("bash", str(HERE / "node.sh"), str(self.nodes), str(packages.FOLDER)),
                *(str(HERE / "slurm_conf"), str(self.folder), str(UID), *_only_for_root()),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._unshare.stdout is not None
        line = self._unshare.stdout.readline()
        if line.strip() != "ready":
            self.stop()
            raise AssertionError(f"Slurm did not start: {line!r}")
        (first,) = psutil.Process(self._unshare.pid).children()
        self._first = first.pid

    def stop(self) -> None:
        """End everything in the namespaces, which takes their mounts away, too."""
        if self._unshare is None:
            return
        for pipe in (self._unshare.stdin, self._unshare.stdout):
            assert pipe is not None
            pipe.close()
        try:
            self._unshare.wait(10)
        except subprocess.TimeoutExpired:
            self._unshare.kill()
            self._unshare.wait()
        shutil.rmtree(self.folder)

    def run(
        self, command: str, folder: str = "/srv/home/student", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command as the user `student`, with a login's environment and `variables`."""
        user = ["setpriv", "--reuid", str(UID), "--regid", str(UID), "--clear-groups"]
        words = {
            "HOME": "/srv/home/student",
            "USER": "student",
            "LOGNAME": "student",
            "PATH": os.pathsep.join([str(TOOLS), "/usr/local/bin:/usr/bin:/bin"]),
            "LANG": "C.UTF-8",
        } | variables
        shell = ["bash", "-c", f"cd {shlex.quote(folder)} && {command}"]
        environment = ["env", "-i", *[f"{name}={value}" for name, value in words.items()]]
        return self._enter([*user, *environment, *shell])

    def as_root(self, command: str) -> str:
        """Standard output of a shell command that the node's root runs."""
        return self._enter(["bash", "-c", command]).stdout

    def _enter(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command in the namespaces."""
        return subprocess.run(
            ["nsenter", "-t", str(self._first), "-m", "-p", "-n", "-u", "--", *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def submit(self, words: str, folder: str, **variables: str) -> str:
        """`sbatch WORDS`; returns the number of the job."""
        done = self.run(f"sbatch --parsable {words}", folder, **variables)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def field(self, job: str, name: str) -> str:
        """What `scontrol show job` says of a job, `JobState` for one."""
        shown = self.run(f"scontrol show job --oneliner {job}").stdout.split()
        return next(word.partition("=")[2] for word in shown if word.startswith(f"{name}="))

    def processes(self) -> list[psutil.Process]:
        """What the user's jobs have running: all but the embedded store."""
        return [
            process
            for process in psutil.process_iter(["uids", "name", "cmdline"])
            if process.info["uids"].real == UID and process.info["name"] != "weed"
        ]

    def scratch_folders(self) -> list[Path]:
        """The folders of jobs on the nodes' own disks; a job's goes if nothing is left in it."""
        return [path for scratch in self.scratches for path in scratch.iterdir()]

    def wait(self, job: str, seconds: float = 120) -> str:
        """Wait until a job is over, its epilog too, and return its state."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if (state := self.field(job, "JobState")) in OVER:
                return state
            time.sleep(0.1)
        raise AssertionError(f"job {job} is {state} after {seconds} s")


def _only_for_root() -> list[str]:
    """The folders above Python, its packages and this repository that others may not pass."""
    needed = [Path(sys.base_prefix), TOOLS, HERE]
    above = {parent for path in needed for parent in (path, *path.parents)}
    return [str(folder) for folder in sorted(above) if not folder.stat().st_mode & 0o001]
