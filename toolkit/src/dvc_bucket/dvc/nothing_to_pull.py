"""A pull with nothing to do, told before DVC starts.

DVC needs a second to say of ten thousand files that they are what they should be. After a pull that
succeeded it is noted what everything looked like that such a pull depends on: files that say what
is tracked, tracked files and the cache, by time, size and inode, as in DVC's own database of files.
Where all of that looks the same, another pull has nothing to do; where anything does not, DVC runs.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from dvc_bucket.base.files import write_private
from dvc_bucket.base.paths import Project

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.types import Repo

#: What DVC says then.
ANSWER = "Everything is up to date."

#: Options of a pull that change nothing about what it does.
QUIET = {"-q", "--quiet"}

#: Files that say what is tracked, or hold values for those that do.
SAYING = (".dvc", ".dvcignore", ".gitignore", "dvc.lock", ".yaml", ".yml", ".json", ".toml", ".py")

#: The version of the record.
VERSION = 2


def is_whole_pull(arguments: Sequence[str]) -> bool:
    """Whether this is the pull of all that the workspace needs, from the usual place."""
    return list(arguments[:1]) == ["pull"] and set(arguments[1:]) <= QUIET


def is_done(project: Project) -> bool:
    """Whether all is as after the last pull."""
    try:
        record = json.loads(project.pulled.read_text(encoding="utf-8"))
        looks = _looks(record["single"], record["whole"])
        return bool((record["version"], record["looks"]) == (VERSION, looks))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def note(project: Project) -> None:
    """Note what everything looks like, after a pull that succeeded."""
    from dvc_bucket.base.errors import BucketError
    from dvc_bucket.dvc.remote.outputs import opened

    project.pulled.unlink(missing_ok=True)
    with suppress(OSError, BucketError), opened(project) as repo:
        tracked = list(repo.index.outs)
        if any(out.protocol != "local" for out in tracked):
            return  # something is elsewhere, and looks like nothing from here
        outs = [out.fspath for out in tracked]
        configuration = [project.dvc_config, project.dvc_config_local]
        objects = Path(repo.cache.local.path)
        places = [objects, *objects.glob("[0-9a-f][0-9a-f]"), *configuration]
        single = sorted({*map(str, places), *_saying(repo, set(outs))})
        record = {"version": VERSION, "single": single, "whole": sorted(outs)}
        record["looks"] = _looks(single, sorted(outs))
        write_private(project.pulled, json.dumps(record))


def _saying(repo: "Repo", outs: set[str]) -> Iterator[str]:
    """Folders in which DVC looks for its files, and those of their files that matter."""
    for root, folders, files in repo.dvcignore.walk(repo.fs, repo.root_dir):
        yield root
        yield from (os.path.join(root, name) for name in files if name.endswith(SAYING))  # noqa: PTH118
        folders[:] = [
            name
            for name in folders
            if (path := os.path.join(root, name)) not in outs  # noqa: PTH118
            and not repo.scm.is_ignored(f"{path}{os.sep}")
        ]


def _looks(single: Sequence[str], whole: Sequence[str]) -> str:
    """What paths, and folders with all that is in them, look like now; one word for all."""
    seen = blake2b(digest_size=16)
    for look in chain(map(_look, single), *map(_look_into, whole)):
        seen.update(look.encode("utf-8", "surrogateescape"))
    return seen.hexdigest()


def _look_into(path: str) -> Iterator[str]:
    yield _look(path)
    if not os.path.isdir(path):  # noqa: PTH112 (for speed, here and below)
        return
    with os.scandir(path) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_dir(follow_symlinks=False):
                yield from _look_into(entry.path)
            else:
                yield _look(entry.path)


def _look(path: str) -> str:
    """Time, size and inode; of a link, those of the file that it leads to."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        return f"{path}\0-\n"
    return f"{path}\0{status.st_mtime_ns}\0{status.st_size}\0{status.st_ino}\n"
