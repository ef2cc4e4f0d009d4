"""A small file system with a clone on it, and commands that find it full."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.failures import world as worlds
from tests.failures.world import World
from tests.verify.published import Published

#: Bytes of the data, and of the file system.
BIG_BYTES = 3_000_000
DISK = "6m"

#: Every word that writes, or could, for a clone without data.
WORDS = (
    *("pull", "fetch", "pull data.csv", "checkout", "status", "push", "add new.csv", "repro"),
    *("repro --pull", "exp run", "diff", "gc -w -f", "ls", "cat big.bin", "cp big.bin out"),
    *("pack folder shards", "advise data.csv", "verify", "verify --deep", "verify --cache"),
    *("report --base HEAD~1 --output r.md", "provenance --out crate", "secrets", "clean"),
    *("provenance --out crate --with big.bin", "provenance --out crate --zip --with big.bin"),
    *("new stage two --command true", "save -m x", "leave", "lfs setup", "check --here"),
    *("doctor --json", "reproduce"),
)


def publish_more(made: Published) -> None:
    """What does not fit on the disk twice; and small things that words take."""
    (made.root / "big.bin").write_bytes(os.urandom(BIG_BYTES))
    (made.root / "folder").mkdir()
    for number in range(9):
        (made.root / "folder" / f"{number}.txt").write_bytes(os.urandom(30_000))
    (made.root / "new.csv").write_text("a\n" * 100_000)
    made.dvc("add", "big.bin")
    made.commit("More")
    made.dvc("push")


@dataclass(frozen=True)
class Disk:
    """A mounted file system."""

    root: Path

    def clone(self, made: Published) -> Path:
        """Put a clone without data on it."""
        root = self.root / "clone"
        left_out = shutil.ignore_patterns("cache", "big.bin", "data.csv", "many", "out.csv")
        shutil.copytree(made.root, root, symlinks=True, ignore=left_out)
        return root

    def fill(self, left: int) -> None:
        """Leave so many bytes free, about."""
        free = shutil.disk_usage(self.root).free
        with (self.root / "full").open("wb") as file:
            file.write(b"x" * max(0, free - left))

    def free(self) -> None:
        """Make room for all of it."""
        (self.root / "full").unlink()
        subprocess.run(["mount", "-o", "remount,size=60m", self.root], check=True)


@contextmanager
def mounted(folder: Path) -> Iterator[Disk]:
    """A small file system in memory; only root can mount one."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", folder], check=True)
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def wrong(world: World, folder: Path, words: str, left: int) -> list[str]:
    """Run a command on a full disk, and again when there is room; what is wrong with its ends."""
    with mounted(folder) as disk:
        root = disk.clone(world.made)
        (disk.root / "tmp").mkdir()
        environment = world.environment(folder, {"TMPDIR": str(disk.root / "tmp")})
        disk.fill(left)
        ended = world.runner.run(root, words.split(), environment, 40)
        print(f"{words}, {left} bytes left: {ended.status}\n{ended.output}")
        secret = world.made.store.secret_access_key
        found = worlds.faults_of(ended, words.split()[0], folder, {secret})
        disk.free()
        again = world.runner.run(root, words.split(), environment, 60)
        print(f"{words} again: {again.status}\n{again.output}")
        found += worlds.faults_of(again, words.split()[0], folder, {secret})
        if again.status and "disk" in again.output.lower():
            found.append(f"it does not run again: {again.status}")
    return [f"{words}, {left} bytes left: {each}" for each in found]
