"""A project whose client and whose store are killed while data moves, and what is left then."""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from dvc_bucket import Project, Settings
from dvc_bucket.base.files import private_folder
from dvc_bucket.store import seaweed
from dvc_bucket.store.server import Server
from dvc_bucket.transfer.files import LOOSE, UNFINISHED
from tests.patched.cloud import BucketFolder
from tests.patched.tools import remote_objects
from tests.projects import NAMES

#: Small files, and the size of a large one.
FILES = 200
LARGE = 48 * 1024 * 1024

#: With so many of them there, a transfer is in its middle, and is for some time.
BEGUN = FILES // 10

#: No command of these takes longer, however loaded the machine.
SECONDS = 120


class Victim:
    """A clone with data, and an embedded store of its own that can be killed.

    Attributes:
        root: the clone.
        seconds: what a whole push or pull took last.
    """

    def __init__(self, project: Project, seed: int) -> None:
        self.project, self.root = project, project.root
        self._random = random.Random(seed)
        self.seconds = {"push": 2.0, "pull": 2.0}
        self.restart_store()
        environment = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "HOME": str(self.root),
            "DVC_SITE_CACHE_DIR": str(private_folder(project.dvc_site_cache)),
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        folder = BucketFolder.at(self.settings, str(NAMES.prefix))
        self.environment = environment | {
            "AWS_ACCESS_KEY_ID": folder.config["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": folder.config["secret_access_key"],
        }
        subprocess.run(["git", "init", "-q"], cwd=self.root, check=True)

    @property
    def settings(self) -> Settings:
        return Settings.load(self.project)

    def restart_store(self) -> None:
        Server(self.project).start()

    def new_data(self) -> None:
        """Other contents than ever before, and no others in the cache."""
        shutil.rmtree(self.root / "many", ignore_errors=True)
        shutil.rmtree(self.root / ".dvc" / "cache", ignore_errors=True)
        (self.root / "many").mkdir()
        for number in range(FILES):
            (self.root / "many" / f"{number}.bin").write_bytes(os.urandom(4096))
        (self.root / "many" / "large.bin").write_bytes(os.urandom(LARGE))
        self.dvc("add", "-q", "many")

    def forget(self) -> None:
        """As in a fresh clone."""
        shutil.rmtree(self.root / ".dvc" / "cache")
        shutil.rmtree(self.root / "many")

    def dvc(self, *arguments: str) -> None:
        """Run a command to its good end."""
        start = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "dvc_bucket.dvc.process", *arguments],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        self.seconds[arguments[0]] = time.monotonic() - start

    def interrupted(self, word: str, victim: str) -> int | None:
        """Run a command and kill `client` or `server` at some moment; the command's status."""
        process = subprocess.Popen(
            [sys.executable, "-m", "dvc_bucket.dvc.process", word],
            cwd=self.root,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(self._random.uniform(0.3, 1.0) * self.seconds[word])
        if victim == "client":
            process.kill()
        else:
            store = seaweed.find(self.project)
            assert store
            store.kill()
            store.wait(10)
        try:
            return process.wait(SECONDS)
        finally:
            if victim == "server":
                self.restart_store()

    def stopped(self, word: str) -> tuple[int, float]:
        """Run a command and press Ctrl-C as data moves: its status, and the seconds it took then.

        A pull at a thread's pace, so that there is a middle to be in.
        """
        process = subprocess.Popen(
            [sys.executable, "-m", "dvc_bucket.dvc.process", word, "-j", "1"],
            cwd=self.root,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + SECONDS
        while self.cached() < BEGUN and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        return process.wait(SECONDS), time.monotonic() - start

    def cached(self) -> int:
        """Files in the cache."""
        return sum(path.is_file() for path in (self.root / ".dvc" / "cache").glob("files/md5/??/*"))

    def leftovers(self) -> list[Path]:
        """Temporary files and folders."""
        return [path for path in self.root.rglob("*") if self._is_temporary(path)]

    def check(self) -> None:
        """What is here and in the store is what the names promise, and nothing is half-done."""
        cache = self.root / ".dvc" / "cache" / "files" / "md5"
        here = {str(path.relative_to(cache)): path for path in cache.rglob("*") if path.is_file()}
        for name, path in here.items():
            found = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
            assert name.replace("/", "")[:32] == found
        remote = remote_objects(BucketFolder.at(self.settings, f"{NAMES.prefix}/files/md5"), here)
        assert sorted(here.keys() - remote.keys()) == []
        assert [key for key, md5 in remote.items() if key.replace("/", "")[:32] != md5] == []
        assert len(here) >= FILES + 2
        assert len(list((self.root / "many").iterdir())) == FILES + 1
        assert self.leftovers() == []

    def verified(self) -> str:
        """What `bucket verify --deep` says."""
        done = subprocess.run(
            [str(Path(sys.executable).with_name("bucket")), "verify", "--deep"],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return f"{done.returncode}: {done.stdout}{done.stderr}"

    @staticmethod
    def _is_temporary(path: Path) -> bool:
        return path.name.endswith((LOOSE, ".tmp")) or path.name == UNFINISHED


def round_of_push(victim: Victim, who: str) -> None:
    """A push that is killed, and another that goes on."""
    victim.new_data()
    victim.interrupted("push", who)
    victim.dvc("push")
    victim.check()
    assert f"Complete: {FILES + 2} objects" in victim.verified()


def round_of_pull(victim: Victim, who: str) -> None:
    """A pull that is killed, and another that goes on."""
    victim.forget()
    victim.interrupted("pull", who)
    victim.dvc("pull")
    victim.check()
