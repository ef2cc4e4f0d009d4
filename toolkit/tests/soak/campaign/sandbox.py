"""The small project of the campaign, its surroundings, and the store that all sequences share."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
import psutil

from dvc_bucket import Project, Settings
from dvc_bucket.connection.dvc_config import with_options
from dvc_bucket.store import seaweed
from dvc_bucket.store.server import Server
from tests.bucket import git_tools
from tests.clones import TOOLS
from tests.conftest import discard
from tests.projects import copy_files, make_project

if TYPE_CHECKING:
    from obstore.store import S3Store

#: Room for a sandbox, in the memory of the machine.
DISK = "96M"

#: Of the sandbox's objects in the bucket.
PREFIX = "campaign"

#: Contents of the project at the start of a sequence. Those of `UNTRACKED` exist only once.
TRACKED_BY_DVC = {
    "data/raw/one.csv": "gauge,level\nUA,2\nAA,14\n",
    "data/raw/images/1.png": "the first image\n",
    "data/raw/images/2.png": "the second image\n",
    "data/raw/images/more/3.png": "the third image\n",
}
TRACKED_BY_GIT = {
    "notes.txt": "notes\n",
    "CITATION.cff": "cff-version: 1.2.0\ntitle: A campaign\nlicense: MIT\n",
    "large/film.bin": "a film\n" * 50,
    "dvc.yaml": """\
stages:
  sort:
    cmd: mkdir -p data/interim && sort data/raw/one.csv >data/interim/sorted.csv
    deps: [data/raw/one.csv]
    outs: [data/interim/sorted.csv]
  split:
    cmd: mkdir -p data/processed/parts && split -l 1 data/interim/sorted.csv data/processed/parts/
    deps: [data/interim/sorted.csv]
    outs: [data/processed/parts]
  report:
    cmd: >-
      mkdir -p reports && ls -R data/raw/images >reports/report.html &&
      ls data/processed/parts >reports/parts.txt
    deps: [data/raw/images, data/processed/parts]
    outs:
      - reports/report.html
      - reports/parts.txt:
          cache: false
""",
}
UNTRACKED = {
    "data/raw/field-notes.txt": "written in the field\n",
    "data/interim/by-hand.csv": "put together by hand\n",
    "todo.txt": "to do\n",
}
OUTSIDE = {
    "victim/thesis.txt": "my thesis\n",
    "victim/images/1.png": "an image of mine\n",
    "victim/ro-crate-metadata.json": "{}\n",
    "out/kept/data/raw/one.csv": "not the same table\n",
}


class Sandbox:
    """A folder with a clone, `origin.git`, a colleague's clone, and folders of the user's.

    Attributes:
        root: of everything; the same for all sequences, which come one after another.
        prefix: of the objects in the bucket.
        store: the project whose embedded store has the bucket.
        disk: where a disk of the sandbox's own is mounted; None if the user may not mount one.
        bucket: a client of the bucket.
    """

    def __init__(self, root: Path, template: Path, store: Project, disk: Path | None) -> None:
        self.root, self.store, self.prefix, self.disk = root, store, PREFIX, disk
        self._template = template
        self._objects: dict[str, bytes] = {}
        self.bucket: S3Store = Settings.load(store).obstore()

    @property
    def clone(self) -> Path:
        return self.root / "clone"

    def environment(self) -> dict[str, str]:
        """Of all commands; nothing of whoever runs the tests."""
        foreign = ("OS_", "AWS_", "DVC_", "MAKE", "MFLAGS", "SCRATCH", "UV_", "PIP_")
        known = {
            n: text for n, text in git_tools.environment().items() if not n.startswith(foreign)
        }
        return known | {
            "PATH": os.pathsep.join([str(TOOLS), os.environ["PATH"]]),
            "HOME": str(self.root / "home"),
            "TMPDIR": str(self.root / "tmp"),
            "SCRATCH": str(self.root / "scratch"),
            "GIT_TERMINAL_PROMPT": "0",
        }

    def run(self, *words: str, folder: str = "clone", check: bool = False) -> str:
        """Run a command of the user's, whose outcome is the user's affair; return its output."""
        done = subprocess.run(
            words,
            cwd=self.root / folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=120,
            check=False,
        )
        assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def repositories(self) -> Iterator[tuple[str, Path]]:
        """Names and folders of git's repositories; work trees share one."""
        for name, folder in (("clone", ".git"), ("other", ".git"), ("origin.git", ".")):
            if (self.root / name / folder / "HEAD").is_file():
                yield name, self.root / name / folder

    def build(self) -> None:
        """Make the project as every sequence finds it, and keep a copy."""
        for name in ("home", "tmp", "scratch", "out"):
            (self.root / name).mkdir(parents=True)
        self._write(self.root, OUTSIDE)
        self._configure()
        self._write(self.clone, TRACKED_BY_DVC | TRACKED_BY_GIT | UNTRACKED)
        (self.clone / "reports").mkdir()
        self.run("git", "init", "-q", "--bare", "-b", "main", "origin.git", folder="", check=True)
        for words in (
            ("git", "init", "-q", "-b", "main"),
            ("git", "remote", "add", "origin", str(self.root / "origin.git")),
            ("bucket", "lfs", "setup"),
            ("git", "lfs", "track", "large/**"),
            ("bucket", "add", "-q", "data/raw/one.csv", "data/raw/images"),
            ("bucket", "reproduce"),
            ("git", "add", "--all"),
            ("git", "reset", "-q", "todo.txt"),
            ("git", "commit", "-q", "-m", "The project"),
            ("git", "push", "-q", "-u", "origin", "main"),
        ):
            self.run(*words, check=True)
        for batch in obstore.list(self.bucket, PREFIX):
            for one in batch:
                self._objects[one["path"]] = bytes(obstore.get(self.bucket, one["path"]).bytes())
        _copy(self.root, self._template)

    def restore(self) -> None:
        """Be as after `build`: folders and bucket."""
        shutil.rmtree(self.root)
        _copy(self._template, self.root)
        for batch in obstore.list(self.bucket, PREFIX):
            for one in batch:
                obstore.delete(self.bucket, one["path"])
        for key, content in self._objects.items():
            obstore.put(self.bucket, key, content)

    def set_up(self, folder: str = "clone") -> None:
        """What `make setup` does: an environment of this clone's own, which starts ours."""
        programs = self.root / folder / ".venv" / "bin"
        if not programs.exists():
            programs.mkdir(parents=True)
            for name in ("python", "bucket"):
                (programs / name).write_text(f'#!/bin/sh\nexec "{TOOLS}/{name}" "$@"\n')
                (programs / name).chmod(0o755)
            (programs.parent / ".installed").touch()

    def colleague(self) -> Path:
        """Another clone, made when it is first needed."""
        other = self.root / "other"
        if not other.exists():
            skip = ("env", "GIT_LFS_SKIP_SMUDGE=1")
            self.run(*skip, "git", "clone", "-q", str(self.root / "origin.git"), "other", folder="")
            shutil.copy(self.store.env_file, other / ".env")
            self.set_up("other")
            self.run("bucket", "lfs", "setup", folder="other")
            self.run("bucket", "pull", "-q", folder="other")
        return other

    @contextmanager
    def nearly_full(self, left: int) -> Iterator[None]:
        """Have no more than so many bytes free."""
        assert self.disk
        found = os.statvfs(self.disk)
        used = (found.f_blocks - found.f_bfree) * found.f_frsize
        _mount(["-o", f"remount,size={max(used + left, found.f_frsize)}", str(self.disk)])
        try:
            yield
        finally:
            _mount(["-o", f"remount,size={DISK}", str(self.disk)])

    def kill_store(self) -> None:
        if process := seaweed.find(self.store):
            process.kill()
            process.wait(10)

    def start_store(self) -> None:
        Server(self.store).start()

    def _configure(self) -> None:
        text = self.store.dvc_config.read_text()
        url = f"s3://{Settings.load(self.store).bucket_name}/{PREFIX}"
        self._write(self.clone, {".dvc/config": with_options(text, {"url": url})})
        copy_files(self.clone, (".gitignore", ".dvcignore", ".env.example"))
        shutil.copy(self.store.env_file, self.clone)
        self.set_up()

    @staticmethod
    def _write(root: Path, texts: dict[str, str]) -> None:
        for name, text in texts.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)


def _copy(source: Path, target: Path) -> None:
    """All of a folder, with its hard links, but without notes that hold for the old inodes only."""
    target.mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", f"{source}/.", target], check=True)
    for notes in target.glob("*/.dvc/tmp"):
        shutil.rmtree(notes)


@contextmanager
def sandbox(folder: Path) -> Iterator[Sandbox]:
    """A built sandbox; on a disk of its own where the user may mount one."""
    disk, store = folder / "disk", make_project(folder / "store")
    disk.mkdir()
    mounted = os.geteuid() == 0 and _can_mount(disk)
    try:
        Server(store).start()
        own = disk if mounted else None
        made = Sandbox(disk / "campaign", folder / "template", store, own)
        made.root.mkdir()
        made.build()
        yield made
    finally:
        discard(store)
        if mounted:
            subprocess.run(["umount", "--lazy", disk], check=True)


def _can_mount(disk: Path) -> bool:
    """Mount a small disk; False where root may not, as in some containers."""
    try:
        _mount(["-t", "tmpfs", "-o", f"size={DISK}", "none", str(disk)])
    except subprocess.CalledProcessError:
        return False
    return True


def _mount(words: Sequence[str]) -> None:
    subprocess.run(["mount", *words], capture_output=True, check=True)


def children(pid: int) -> list[psutil.Process]:
    """Processes that a process started, and they, and so on."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
