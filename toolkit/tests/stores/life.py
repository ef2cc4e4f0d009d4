"""A project's life on a store behind TLS, word by word: the same on every store.

`live` runs it with the commands that people type, and asserts at each step what they would see.
"""

import secrets
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dvc_bucket import open_dataset
from tests.clones import TOOLS
from tests.projects import copy_files
from tests.stores.access import StoreAccess
from tests.verify.published import Published

LEVELS, HIGHEST = "data/interim/levels.csv", "reports/highest.csv"

GAUGES = "gauge,m\n1,0.5\n"

#: Of the two tables and of the file below; what git keeps is no object.
OBJECTS = 3

#: Below what one request asks for, and above what goes in one request: sent in parts.
LARGE_BYTES = 9 * 1024 * 1024


class Life:
    """A project, a clone of it, and what was seen of both.

    Args:
        folder: an empty one.
        store: where the data is.
    """

    def __init__(self, folder: Path, store: StoreAccess) -> None:
        self.folder, self.store = folder, store
        prefix = f"life-{secrets.token_hex(4)}"
        copy_files(folder / "project")
        self.project = Published(folder / "project", store, prefix)
        self.clone = Published(folder / "clone", store, prefix)
        (self.project.root / ".venv").symlink_to(TOOLS.parent)

    def begin(self) -> None:
        """`bucket init`, and the doctor has nothing to object."""
        keys = {name: self.store.env[name] for name in ("OS_ACCESS_KEY_ID", "OS_SECRET_ACCESS_KEY")}
        self.project.git("init", "-q", "-b", "main")
        self.project.clone.run(
            *("bucket", "init", "--yes", "--no-doctor", "--endpoint", self.store.endpoint_url),
            *("--bucket", self.store.bucket, "--prefix", self.project.prefix),
            *("--cacert", str(self.store.ca_bundle)),
            check=True,
            **keys,
        )
        self.project.commit("As cloned")
        told = self.project.clone.run("bucket", "doctor").stdout
        assert "FAILED" not in told
        assert "none of " in told  # requests were throttled

    def reproduce(self) -> None:
        """The stages run, and what they made goes to the bucket."""
        (self.project.root / "large.bin").write_bytes(secrets.token_bytes(LARGE_BYTES))
        run = self.project.clone.run
        (self.project.root / "gauges.csv").write_text(GAUGES)
        run("bucket", "add", "large.bin", "gauges.csv")
        assert "Running stage 'highest'" in run("bucket", "reproduce").stdout
        self.project.commit("Results")
        assert "up to date" in run("dotenv", "run", "--", "dvc", "push").stdout.lower()
        assert len(self.project.keys) == OBJECTS

    def go_elsewhere(self) -> None:
        """Another clone has the same bytes, by `bucket` and by plain DVC."""
        self.project.git("clone", "-q", str(self.project.root), str(self.clone.root))
        shutil.copy(self.project.root / ".env", self.clone.root)
        (self.clone.root / ".venv").symlink_to(TOOLS.parent)
        self.clone.clone.run("bucket", "pull")
        self.has_all_of_it()
        for name in (LEVELS, "large.bin"):
            (self.clone.root / name).unlink()
        shutil.rmtree(self.clone.root / ".dvc" / "cache")
        self.clone.clone.run("dotenv", "run", "--", "dvc", "pull")
        self.has_all_of_it()

    def has_all_of_it(self) -> None:
        """The clone has the bytes of the project."""
        for name in (LEVELS, "large.bin"):
            assert (self.clone.root / name).read_bytes() == self.project_bytes(name)

    def project_bytes(self, name: str) -> bytes:
        return (self.project.root / name).read_bytes()

    def read(self) -> None:
        """From the bucket alone: a copy, a stream, a table."""
        bare = replace(self.clone, root=self.folder / "bare")
        self.project.git("clone", "-q", str(self.project.root), str(bare.root))
        shutil.copy(self.project.root / ".env", bare.root)
        run = bare.clone.run
        assert run("bucket", "cat", LEVELS).stdout.encode() == self.project_bytes(LEVELS)
        run("bucket", "cp", "large.bin", "copy")
        assert (bare.root / "copy").read_bytes() == self.project_bytes("large.bin")
        url = f"s3://{self.store.bucket}/{self.project.prefix}-loose"
        run("bucket", "cp", HIGHEST, f"{url}/")
        assert run("bucket", "ls", url).stdout == f"{url}/highest.csv\n"
        assert run("bucket", "cat", f"{url}/highest.csv").stdout.encode() == self.project_bytes(
            HIGHEST
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(bare.root)
            assert open_dataset("gauges.csv").to_table().to_pydict() == {"gauge": [1], "m": [0.5]}

    def verify_and_repair(self) -> None:
        """What is gone or wrong is named, and sent again."""
        run, [first, second, _] = self.project.clone.run, sorted(self.project.keys)
        assert run("bucket", "verify", "--deep").stdout.count(f"Complete: {OBJECTS} objects") == 1
        self.project.delete(first)
        self.project.put(second, b"other bytes")
        done = run("bucket", "verify", check=False)
        assert done.returncode == 1
        assert "NOT complete: 1 missing, 1 damaged, 0 not checked of 3" in done.stdout
        run("bucket", "verify", "--repair")
        assert (
            f"Complete: {OBJECTS} objects"
            in run("bucket", "verify", "--deep", "--all-commits").stdout
        )

    def collect(self) -> None:
        """`gc` takes what no commit needs, and nothing else."""
        run, before = self.project.clone.run, {*self.project.keys}
        (self.project.root / "large.bin").write_bytes(b"never committed")
        run("bucket", "add", "large.bin")
        run("bucket", "push")
        assert len(self.project.keys) == len(before) + 1
        self.project.git("checkout", "-q", "large.bin.dvc")
        run("bucket", "checkout", "--force")
        run("bucket", "gc", "--all-commits", "--cloud", "--force")
        assert {*self.project.keys} == before

    def prove(self) -> None:
        """The commit comes out again, and its origin is told."""
        assert "reproduced" in self.project.clone.run("bucket", "check", "--here").stdout.lower()
        self.project.clone.run("bucket", "provenance", "--out", str(self.folder / "crate"))
        assert (self.folder / "crate" / "ro-crate-metadata.json").is_file()

    def track_with_lfs(self) -> None:
        """Git LFS sends to the bucket, and another clone pulls from there."""
        project, clone = self.project, self.clone
        project.git("init", "-q", "--bare", "-b", "main", str(self.folder / "origin.git"))
        project.git("remote", "add", "origin", str(self.folder / "origin.git"))
        project.clone.run("bucket", "lfs", "setup")
        project.git("lfs", "track", "*.tif")
        (project.root / "map.tif").write_bytes(content := secrets.token_bytes(3_000_000))
        project.commit("A map")
        project.git("push", "-q", "-u", "origin", "main")
        assert len(project.keys) == OBJECTS + 1
        other = replace(clone, root=self.folder / "with lfs")
        url = str(self.folder / "origin.git")
        project.clone.run("git", "clone", "-q", url, str(other.root), GIT_LFS_SKIP_SMUDGE="1")
        (other.root / ".venv").symlink_to(TOOLS.parent)
        shutil.copy(project.root / ".env", other.root)
        other.clone.run("bucket", "lfs", "setup")
        other.git("lfs", "pull")
        assert (other.root / "map.tif").read_bytes() == content


def live(folder: Path, store: StoreAccess, *steps: str) -> None:
    """Some steps of a project's life, in order."""
    life = Life(folder, store)
    for step in steps:
        getattr(life, step)()
