"""Keeps answers of DVC while the files that they depend on are unchanged.

A file is unchanged if its time, size and inode are, as in DVC's own database of files. An answer
about a project depends on its configuration and on the files that declare what DVC tracks. An
answer about data also depends on the data and the cache.
"""

import importlib.util
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dvc_bucket.base.files import write_private
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import dvc_config

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.types import Repo

#: Names of the files that declare what DVC tracks, or that have values for these.
SAYING = (".dvc", ".dvcignore", ".gitignore", "dvc.lock", ".yaml", ".yml", ".json", ".toml", ".py")

#: The version of the record.
VERSION = 3

SECOND = 1_000_000_000

#: The kernel gives files the time of its last tick, which is up to so many nanoseconds ago.
TICK = SECOND // 50


class Look(NamedTuple):
    """What paths look like.

    Attributes:
        digest: one word for all.
        newest: time of the last change, in nanoseconds since 1970; its last moment where the file
            system counts whole seconds.
    """

    digest: str
    newest: int


class Places(NamedTuple):
    """Paths that an answer depends on.

    Attributes:
        single: files and folders. Of a folder, the names in it count.
        whole: files, and folders with all files in them.
    """

    single: Sequence[str]
    whole: Sequence[str] = ()

    def look(self) -> Look:
        """What they look like now."""
        seen, newest = blake2b(digest_size=16), 0
        for look, changed in chain(map(_look, self.single), *map(_look_into, self.whole)):
            seen.update(look.encode("utf-8", "surrogateescape"))
            newest = max(newest, changed)
        return Look(seen.hexdigest(), newest + (SECOND if newest % SECOND == 0 else 0))


def now() -> int:
    """A time that every later change of a file is after, in nanoseconds since 1970."""
    return time.time_ns() - TICK


def saying(project: Project, repo: "Repo", outs: set[str]) -> list[str]:
    """Paths of the files that declare what DVC tracks, and of the folders that can have them.

    Args:
        project: the clone.
        repo: the same, opened.
        outs: absolute paths of outputs, which are not looked into.
    """
    dvc = importlib.util.find_spec("dvc")
    fixed = [*dvc_config.files(project), project.root / ".git" / "info" / "exclude"]
    return sorted({*map(str, fixed), str(dvc and dvc.origin), *_found(repo, outs)})


def _found(repo: "Repo", outs: set[str]) -> Iterator[str]:
    """Folders in which DVC looks for its files, and the files that declare something."""
    for root, folders, files in repo.dvcignore.walk(repo.fs, repo.root_dir):
        yield root
        yield from (os.path.join(root, name) for name in files if name.endswith(SAYING))  # noqa: PTH118
        folders[:] = [
            name
            for name in folders
            if (path := os.path.join(root, name)) not in outs  # noqa: PTH118
            and not repo.scm.is_ignored(f"{path}{os.sep}")
        ]


def kept(file: Path) -> dict[str, Any]:
    """The answers that are kept in a file; none if a path that they depend on has changed."""
    record = _record(file)
    with suppress(OSError, KeyError, TypeError):  # a path that cannot be read counts as changed
        if Places(record["single"], record["whole"]).look().digest == record["look"]:
            return dict(record["answers"])
    return {}


def keep(file: Path, places: Places, answers: dict[str, Any], before: int | None = None) -> None:
    """Keep answers. Earlier answers stay if nothing has changed since.

    Args:
        file: that keeps them.
        places: that they depend on.
        answers: by name; JSON.
        before: nanoseconds since 1970. If a path has changed since, nothing is kept, as it may have
            changed after DVC read it. None to keep the answers in any case.

    Raises:
        OSError: the file cannot be written.
    """
    look = places.look()
    if before is not None and look.newest >= before:
        return
    record = _record(file)
    if record.get("look") == look.digest:
        answers = record["answers"] | answers
    head = {"version": VERSION, "file": str(file), "look": look.digest}
    write_private(file, json.dumps({**head, **places._asdict(), "answers": answers}))


def _record(file: Path) -> dict[str, Any]:
    """The content of a file; empty if another version or another clone wrote it."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if (record["version"], record["file"]) == (VERSION, str(file)):
            return record
    return {}


def _look_into(path: str) -> Iterator[tuple[str, int]]:
    yield _look(path)
    if not os.path.isdir(path):  # noqa: PTH112 (for speed, here and below)
        return
    with os.scandir(path) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_dir(follow_symlinks=False):
                yield from _look_into(entry.path)
            else:
                yield _look(entry.path)


def _look(path: str) -> tuple[str, int]:
    """Time, size and inode; of a link, those of the file that it leads to. And the time."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except (FileNotFoundError, NotADirectoryError):
        return f"{path}\0-\n", 0
    changed = status.st_mtime_ns
    return f"{path}\0{changed}\0{status.st_size}\0{status.st_ino}\n", changed
