"""A clone in the home of the node's user, from which jobs are submitted."""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.node import OVER, UID, SlurmNode


@dataclass(frozen=True)
class Submitting:
    """The clone, as seen by the tests and as seen on the node."""

    node: SlurmNode
    root: Path
    place: str

    def run(self, command: str, **variables: str) -> str:
        """Standard output of a command that must not fail, in the clone."""
        done = self.node.run(command, self.place, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def submit(self, words: str = "cluster/reproduce.sbatch", **variables: str) -> str:
        """`sbatch` in the clone; returns the number of the job."""
        return self.node.submit(words, self.place, **variables)

    def log(self, job: str) -> str:
        """What a job has said so far."""
        path = self.root / f"slurm-{job}.out"
        return path.read_text() if path.exists() else ""

    def left_behind(self) -> list[str]:
        """What jobs that are over left on the node: scratch folders and processes."""
        running = [" ".join(process.info["cmdline"]) for process in self.node.processes()]
        return [*running, *map(str, self.node.scratch_folders())]


def of_the_user(node: SlurmNode, root: Path) -> Submitting:
    """What root has made in the user's home, as the user's clone, its embedded store running."""
    os.utime(root / "requirements.lock", (0, 0))  # older than .venv: that is what it says
    subprocess.run(["chown", "-R", "-h", f"{UID}:{UID}", root], check=True)
    clone = Submitting(node, root, f"/srv/home/student/{root.name}")
    clone.run("make -o .venv/.installed serve", PYTHONPATH="src:toolkit/src")
    return clone


def commit(message: str) -> str:
    """The command that commits what git knows."""
    return f"git -c user.name=Test -c user.email=test@example.org commit -q -a -m {message!r}"


def wait_for(clone: Submitting, job: str, words: str) -> None:
    """Wait until the log of a job says this."""
    deadline = time.monotonic() + 60
    while words not in clone.log(job):
        assert time.monotonic() < deadline, clone.log(job)
        assert clone.node.field(job, "JobState") not in OVER, clone.log(job)
        time.sleep(0.05)
