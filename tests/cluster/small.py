"""A small project with the job scripts of this repository, in the home of the node's user."""

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.node import OVER, TOOLS, UID, SlurmNode
from tests.conftest import REPOSITORY, make_project

#: Two stages. The first notes in the home that it ran; the second waits as long as a file `wait` is
#: there. DVC is told of neither: a job that goes on must not run the first one again.
STAGES = """\
stages:
  first:
    cmd: echo ran >> ~/first-ran && wc -l < words.txt > first.txt
    deps: [words.txt]
    outs: [first.txt]
  second:
    cmd: mkdir second && while test -e ~/wait; do sleep 0.1; done && cp first.txt second/
    deps: [first.txt]
    outs: [second]
"""

MAKEFILE = """\
reproduce:
\t@bucket serve --if-embedded
\t@bucket reproduce $(ARGS)
"""

FILES = {
    "dvc.yaml": STAGES,
    "Makefile": MAKEFILE,
    "words.txt": "one\ntwo\n",
    ".gitignore": ".env\n.venv\n.bucket\n/.dvc/tmp\n/.dvc/cache\n/.dvc/config.local\n"
    "/first.txt\n/second\n/slurm-*.out\n",
}


@dataclass(frozen=True)
class Small:
    """The project, as seen by the tests and as seen on the node."""

    node: SlurmNode
    root: Path
    place: str

    def run(self, command: str, **variables: str) -> str:
        """Standard output of a command that must not fail, in the project's folder on the node."""
        done = self.node.run(command, self.place, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def submit(self, words: str = "cluster/reproduce.sbatch", **variables: str) -> str:
        """`sbatch` in the project; returns the number of the job."""
        return self.node.submit(words, self.place, **variables)

    def log(self, job: str) -> str:
        """What a job has said so far."""
        path = self.root / f"slurm-{job}.out"
        return path.read_text() if path.exists() else ""

    def left_behind(self) -> list[str]:
        """What jobs that are over left on the node: scratch folders and processes."""
        running = [" ".join(process.info["cmdline"]) for process in self.node.processes()]
        return [*running, *map(str, self.node.scratch_folders())]


def make_small(node: SlurmNode, name: str = "small") -> Small:
    """The project, committed, with its embedded store running on the node."""
    root = node.home / name
    make_project(root)
    for file, text in FILES.items():
        (root / file).write_text(text)
    shutil.copytree(REPOSITORY / "cluster", root / "cluster")
    shutil.copy(REPOSITORY / "requirements.lock", root)
    os.utime(root / "requirements.lock", (0, 0))  # older than .venv: that is what it says
    (root / ".venv").symlink_to(TOOLS.parent)
    (root / "src").symlink_to(REPOSITORY / "src")
    subprocess.run(["chown", "-R", "-h", f"{UID}:{UID}", root], check=True)
    small = Small(node, root, f"/srv/home/student/{name}")
    small.run("git init -q . && git add . && " + commit("As cloned"))
    small.run("bucket serve")
    return small


def commit(message: str) -> str:
    """The command that commits what git knows."""
    return f"git -c user.name=Test -c user.email=test@example.org commit -q -a -m {message!r}"


def wait_for(small: Small, job: str, words: str) -> None:
    """Wait until the log of a job says this."""
    deadline = time.monotonic() + 60
    while words not in small.log(job):
        assert time.monotonic() < deadline, small.log(job)
        assert small.node.field(job, "JobState") not in OVER, small.log(job)
        time.sleep(0.05)
