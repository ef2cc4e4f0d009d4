"""A push and a pull of Git LFS that are killed at some moment, and are run again."""

import contextlib
import random
import re
import shutil
import subprocess
import time
from collections.abc import Sequence

import psutil

from tests.lfs.lfs_tools import TRACKED, add_files, contents_of, leftovers
from tests.verify.published import Published

#: Small files, and the size of a large one.
SIZES = {f"small/{number}": 20_000 for number in range(40)} | {"one": 40_000_000}

#: A file that git-lfs takes away when it is an hour old, or its object is there.
OBJECT = re.compile(r"[0-9a-f]{64}-[0-9a-f]{8}")

#: No command of these takes longer, however loaded the machine.
SECONDS = 120


class Killer:
    """Kills git, git-lfs or an agent, or all of them, at a random moment of a command."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._seconds: dict[str, float] = {}

    def whole(self, clone: Published, *command: str) -> None:
        """Run a command to its good end."""
        start = time.monotonic()
        clone.clone.run(*command)
        self._seconds[command[1]] = time.monotonic() - start

    def interrupted(self, clone: Published, *command: str) -> None:
        """Run a command, and kill some of its processes when it is about to load or to move."""
        process = psutil.Popen(
            command,
            cwd=clone.root,
            env=clone.clone.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(self._random.uniform(0.1, 0.9) * self._seconds.get(command[1], 2.0))
        family = [process, *_children(process)]
        victims = family if self._random.random() < 0.5 else [self._random.choice(family)]
        for victim in victims:
            _kill(victim)
        process.wait(SECONDS)
        _, alive = psutil.wait_procs(family, timeout=SECONDS)
        assert not alive, "an agent outlives git-lfs"


def _children(process: psutil.Process) -> Sequence[psutil.Process]:
    try:
        found: Sequence[psutil.Process] = process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return found


def _kill(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()


def round_of(killer: Killer, origin: Published, other: Published) -> None:
    """New files, a killed push, a push, a killed pull, a pull: the same bytes, and nothing left."""
    for folder in (origin.root / TRACKED, other.root / ".git" / "lfs" / "objects"):
        shutil.rmtree(folder, ignore_errors=True)
    contents = add_files(origin, SIZES)
    killer.interrupted(origin, "git", "push", "-q", "origin", "main")
    killer.whole(origin, "git", "push", "-q", "origin", "main")
    report = origin.verify(lfs=True, deep=True)
    assert report.ok
    assert report.objects == len(contents)
    other.git("fetch", "-q")
    # Not a merge: files that a killed git-lfs has put here look changed to git, by their size.
    other.clone.run("git", "reset", "-q", "--hard", "origin/main", GIT_LFS_SKIP_SMUDGE="1")
    killer.interrupted(other, "git", "lfs", "pull")
    for lock in other.root.glob(".git/index.lock"):
        lock.unlink()  # as git says then
    killer.whole(other, "git", "lfs", "pull")
    assert contents_of(other) == contents
    for clone in (origin, other):
        left = [name for name in leftovers(clone) if not OBJECT.fullmatch(name)]
        # The socket of a killed agent goes when the next one starts; not each command needs one.
        assert len(left) <= 1, left
        assert all(name.startswith("bucket-") for name in left), left
