"""Keeps answers of DVC while the files that they depend on are unchanged.

A file is unchanged if its time, size and inode are, as in DVC's own database of files. An answer
about a project depends on its configuration and on the files that declare what DVC tracks: of
these, the content counts, as git writes them again without another content. An answer about data
also depends on the data and the cache.
"""

import importlib.util
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b, file_digest
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dvc_bucket.base.files import write_private
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import dvc_config

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.types import Repo

#: Ends of the names of files that declare what DVC tracks.
SAYING = (".dvc", ".dvcignore", ".gitignore", "dvc.lock", "dvc.yaml", "params.yaml")

#: Those of the files that have values for these if a dvc.yaml names them. The name stands there as
#: it is: DVC refuses `${...}` in `vars`.
VALUES = (".yaml", ".yml", ".json", ".toml", ".py")

#: Such a name, and the folder of a stage, in a dvc.yaml.
VALUES_NAMED = re.compile(rb"[^\n'\"\[\],{}:#]{1,400}\.(?:ya?ml|json|toml|py)\b")
FOLDER_NAMED = re.compile(rb"^ *wdir: *['\"]?([^'\"#\n]+)", re.MULTILINE)

#: The version of the record.
VERSION = 5

SECOND = 1_000_000_000

#: The kernel gives files the time of its last tick, which is up to so many nanoseconds ago.
TICK = SECOND // 50


class Look(NamedTuple):
    """What paths look like.

    Attributes:
        digest: one word for all.
        newest: time of the last change, in nanoseconds since 1970; its last moment where the file
            system counts whole seconds.
        declared: the same of the files that declare what DVC tracks.
    """

    digest: str
    newest: int
    declared: int


class Places(NamedTuple):
    """Paths that an answer depends on.

    Attributes:
        single: files and folders. Of a folder, the names in it count.
        whole: files, and folders with all files in them.
        declaring: files whose content counts.
        folders: in which files of these names and folders count.
    """

    single: Sequence[str]
    whole: Sequence[str] = ()
    declaring: Sequence[str] = ()
    folders: Sequence[str] = ()

    def look(self) -> Look:
        """What they look like now."""
        seen, newest, declared = blake2b(digest_size=16), 0, 0
        for look, changed in map(_look_at_content, self.declaring):
            seen.update(look)
            declared = max(declared, changed)
        for look in map(_names, self.folders):
            seen.update(look)
        for look, changed in chain(map(_look, self.single), *map(_look_into, self.whole)):
            seen.update(look)
            newest = max(newest, changed)
        return Look(seen.hexdigest(), _last(max(newest, declared)), _last(declared))


def _last(time: int) -> int:
    return time + (SECOND if time % SECOND == 0 else 0)


def now() -> int:
    """A time that every later change of a file is after, in nanoseconds since 1970."""
    return time.time_ns() - TICK


def saying(project: Project, repo: "Repo", outs: set[str]) -> Places:
    """The files that declare what DVC tracks, and the folders that can have them.

    Args:
        project: the clone.
        repo: the same, opened.
        outs: absolute paths of outputs, which are not looked into.
    """
    dvc = importlib.util.find_spec("dvc")
    fixed = [*dvc_config.files(project), project.root / ".git" / "info" / "exclude"]
    folders, declaring, values = [], [], []
    for root, names, files in repo.dvcignore.walk(repo.fs, repo.root_dir):
        folders.append(root)
        for name in files:
            path = os.path.join(root, name)  # noqa: PTH118 (for speed, here and below)
            if name.endswith(SAYING):
                declaring.append(path)
            elif name.endswith(VALUES):
                values.append(path)
        names[:] = [
            name
            for name in names
            if (path := os.path.join(root, name)) not in outs  # noqa: PTH118
            and not repo.scm.is_ignored(f"{path}{os.sep}")
        ]
    flows = {path: Path(path).read_bytes() for path in declaring if path.endswith("dvc.yaml")}
    named = {path for path in values if any(_name(path) in flow for flow in flows.values())}
    named.update(*map(_vars, flows, flows.values()))
    return Places(
        sorted({*map(str, fixed), str(dvc and dvc.origin)}),
        (),
        sorted({*declaring, *named}),
        folders,
    )


def _vars(flow: str, content: bytes) -> Iterator[str]:
    """Files that can have values of a pipeline, wherever they are: DVC reads ignored ones, too."""
    here = os.path.dirname(flow)  # noqa: PTH120 (for speed, as above)
    yield os.path.join(here, "params.yaml")  # noqa: PTH118
    if b"vars:" not in content:
        return
    names = {os.fsdecode(name.strip(b" -")) for name in VALUES_NAMED.findall(content)}
    for folder in {"", *(os.fsdecode(one.strip()) for one in FOLDER_NAMED.findall(content))}:
        paths = (os.path.normpath(os.path.join(here, folder, name)) for name in names)  # noqa: PTH118
        yield from filter(os.path.isfile, paths)


def _name(path: str) -> bytes:
    return os.fsencode(os.path.basename(path))  # noqa: PTH119


def kept(file: Path, name: str) -> Any:
    """The answer of a name; None if none is kept, or a path that it depends on has changed."""
    record = _record(file)
    with suppress(OSError, KeyError, TypeError):  # a path that cannot be read counts as changed
        answer, places = record["answers"][name], Places(*record["places"])
        # The time of a folder tells that a file is new or gone, before all its files are looked at.
        if _tops(places) == record["tops"] and places.look().digest == record["look"]:
            return answer
    return None


def earlier(file: Path) -> dict[str, Any]:
    """The answers that were kept in a file last, whatever has changed since."""
    return dict(_record(file).get("answers", {}))


def keep(
    file: Path, places: Places, answers: dict[str, Any], begun: int, *, is_of_all: bool = True
) -> None:
    """Keep answers. Earlier answers stay if nothing has changed since.

    Args:
        file: that keeps them.
        places: that they depend on.
        answers: by name; JSON.
        begun: from `now`. If a path has changed since, nothing is kept, as it may have changed
            after DVC read it.
        is_of_all: data that has changed since counts, too: it was not DVC that changed it.

    Raises:
        OSError: the file cannot be written.
    """
    look = places.look()
    if (look.newest if is_of_all else look.declared) >= begun:
        return
    record = _record(file)
    if record.get("look") == look.digest:
        answers = record["answers"] | answers
    head = {"version": VERSION, "file": str(file), "look": look.digest, "tops": _tops(places)}
    write_private(file, json.dumps({**head, "places": places, "answers": answers}))


def _tops(places: Places) -> str:
    """What the folders look like whose files count, without these."""
    return Places(places.whole).look().digest


def _record(file: Path) -> dict[str, Any]:
    """The content of a file; empty if another version or another clone wrote it."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if (record["version"], record["file"]) == (VERSION, str(file)):
            return record
    return {}


def _look_into(path: str) -> Iterator[tuple[bytes, int]]:
    yield _look(path)
    if not os.path.isdir(path):  # noqa: PTH112
        return
    lines, newest, folders = [], 0, []
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
                continue
            line, changed = _line(entry.name, entry.stat)
            lines.append(line)
            newest = max(newest, changed)
    yield os.fsencode("".join(sorted(lines))), newest
    for folder in sorted(folders):
        yield from _look_into(folder)


def _look(path: str) -> tuple[bytes, int]:
    """Time, size and inode; of a link, those of the file that it leads to. And the time."""
    line, changed = _line(path, lambda: os.stat(path))  # noqa: PTH116
    return os.fsencode(line), changed


def _line(name: str, stat: Callable[[], os.stat_result]) -> tuple[str, int]:
    try:
        status = stat()
    except (FileNotFoundError, NotADirectoryError):
        return f"{name}\0-\n", 0
    changed = status.st_mtime_ns
    return f"{name}\0{changed}\0{status.st_size}\0{status.st_ino}\n", changed


def _look_at_content(path: str) -> tuple[bytes, int]:
    """The hash of the content, and the time."""
    try:
        with open(path, "rb") as stream:  # noqa: PTH123
            digest = file_digest(stream, "blake2b").hexdigest()
            changed = os.fstat(stream.fileno()).st_mtime_ns
    except (FileNotFoundError, NotADirectoryError):
        digest, changed = "-", 0
    return os.fsencode(f"{path}\0{digest}\n"), changed


def _names(folder: str) -> bytes:
    """The names in a folder of files that declare what DVC tracks, and of folders."""
    try:
        with os.scandir(folder) as entries:
            found = [
                entry.name for entry in entries if entry.name.endswith(SAYING) or entry.is_dir()
            ]
    except (FileNotFoundError, NotADirectoryError):
        found = ["-"]
    return os.fsencode("\0".join([folder, *sorted(found), "\n"]))
