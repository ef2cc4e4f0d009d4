"""A small project on a store, and commands in it as on another machine."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dvc_bucket import Project
from tests import forking
from tests.bucket.git_tools import environment
from tests.clones import TOOLS
from tests.projects import copy_files

#: Seconds after which a command hangs.
LIMIT = 120

#: A user that no file of users has.
OTHER = 12345

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

#: Nobody listens at the discard port.
DEAD = "http://127.0.0.1:9"
PROXIES = ("ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy")

#: What a stage sees of its machine, all of which must be the same everywhere. A module of another
#: folder has no such file; a stage with a pool needs a socket in the folder of temporary files.
STAGE = """\
import json
import sys
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import tabulate

if __name__ == "__main__":
    with get_context("forkserver").Pool(1) as pool:
        squares = pool.map(abs, [1, -4])
    facts = {
        "encoding": sys.getfilesystemencoding(),
        "is_own": Path(tabulate.__file__).is_relative_to(sys.prefix),
        "squares": squares,
    }
    Path("facts.json").write_text(json.dumps(facts))
"""

#: In the words of /bin/sh, and with a program of the project itself.
DVC_YAML = """\
stages:
  facts:
    cmd: n=$(./number) && test "$n" = 1 && python facts.py
    deps: [facts.py, number]
    outs: [facts.json]
"""


@dataclass(frozen=True)
class Machine:
    """A clone, and how its commands start.

    Attributes:
        root: of the clone.
        prefix: words before each command.
    """

    root: Path
    prefix: Sequence[str] = ()

    @property
    def project(self) -> Project:
        """The clone."""
        return Project(self.root)

    def run(
        self, *words: str, status: int = 0, prefix: Sequence[str] = (), **changes: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command, which ends in time, with this exit status and no traceback."""
        done: subprocess.CompletedProcess[str] = forking.run(
            [*self.prefix, *prefix, *words],
            cwd=self.root,
            env=environment() | {"PATH": f"{TOOLS}:{os.environ['PATH']}"} | changes,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        print(f"$ {' '.join(words)}\n{done.stdout}{done.stderr}")
        assert "Traceback" not in done.stdout + done.stderr
        assert done.returncode == status
        return done

    def bucket(
        self, *words: str, status: int = 0, prefix: Sequence[str] = (), **changes: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run `bucket`."""
        return self.run("bucket", *words, status=status, prefix=prefix, **changes)

    def same_results(self, *, prefix: Sequence[str] = (), **changes: Any) -> None:
        """Run the stage on this machine: the results are those of the commit."""
        self.bucket("repro", "--force", "--quiet", prefix=prefix, **changes)
        assert self.run("git", "status", "--porcelain", prefix=()).stdout == ""


def make(root: Path, store: Project) -> Machine:
    """A committed and pushed project on a running store."""
    copy_files(root, [".dvc/config", ".gitignore"])
    text = store.dvc_config.read_text().replace("river-levels", root.name)
    (root / ".dvc/config").write_text(text)
    shutil.copy(store.env_file, root / ".env")
    (root / "facts.py").write_text(STAGE)
    (root / "number").write_text("#!/bin/sh\necho 1\n")
    (root / "number").chmod(0o755)
    (root / "dvc.yaml").write_text(DVC_YAML)
    (root / ".dvc/.gitignore").write_text("/config.local\n/tmp\n/cache\n")
    machine = Machine(root)
    machine.run("git", "init", "--quiet", "--initial-branch=main")
    machine.bucket("repro", "--quiet")
    machine.run("git", "add", "--all")
    machine.run("git", "commit", "--quiet", "--message", "Facts")
    machine.bucket("push", "--quiet")
    return machine
