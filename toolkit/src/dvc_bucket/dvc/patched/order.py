"""New entries of `dvc.lock`, and new lines of `.gitignore`, in the order of the plan.

DVC adds them at the end as stages finish, which one after another they do in the order of its plan.
What was there when a run began is noted in a file, which a run that failed or was killed leaves: to
the next one, what that run added is new, too.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from dvc_bucket.base.files import write_whole
from dvc_bucket.dvc.lock import splice

#: The file in DVC's temporary folder.
NAME = "bucket-order.json"

#: What a file has, in the order of its lines, by its path.
Contents = dict[str, list[str]]


class Order:
    """The order of what a run adds to files.

    Args:
        folder: DVC's temporary folder.
        stages: in the order of the plan.
    """

    def __init__(self, folder: Path, stages: Sequence[Any]) -> None:
        self._file = folder / NAME
        self._ranks: dict[str, dict[str, int]] = {}
        for stage in stages:
            if name := getattr(stage, "name", None):
                self._add(Path(stage.path).with_suffix(".lock"), name)
            for out in stage.outs:
                if out.protocol == "local":
                    path = Path(out.fs_path)
                    self._add(path.with_name(".gitignore"), f"/{path.name}")
        now = {path: _content(Path(path)) for path in self._ranks}
        self._before = {path: _earlier(lines, now[path]) for path, lines in self._noted(now)}
        write_whole(self._file, json.dumps(self._before))

    def entries(self, path: Path, lock: splice.Lock) -> splice.Lock:
        """The parts of a lock file, its new entries in order."""
        lines = self._arranged(str(path), [*lock.entries])
        return lock._replace(entries={line: lock.entries[line] for line in lines})

    def end(self, *, is_whole: bool) -> None:
        """Put the lines of `.gitignore` in order.

        Args:
            is_whole: the run did all that it was to do, so that nothing is new any more.
        """
        for path in map(Path, self._ranks):
            lines = _content(path) if path.name == ".gitignore" else []
            if lines != (arranged := self._arranged(str(path), lines)):
                write_whole(path, "".join(f"{line}\n" for line in arranged))
        if is_whole:
            self._file.unlink(missing_ok=True)

    def _add(self, path: Path, name: str) -> None:
        ranks = self._ranks.setdefault(str(path.resolve()), {})
        ranks.setdefault(name, len(ranks))

    def _noted(self, now: Contents) -> Sequence[tuple[str, list[str]]]:
        """What each file had before a run that did not end; else, what it has."""
        noted: Mapping[str, Any] = {}
        with suppress(OSError, ValueError):
            noted = json.loads(self._file.read_text(encoding="utf-8"))
        if not isinstance(noted, dict):
            noted = {}
        return [(path, noted.get(path, lines)) for path, lines in now.items()]

    def _arranged(self, path: str, lines: list[str]) -> list[str]:
        """Lines of a file: those from before, and new ones in order.

        As they are, if others than this run, and those before it, have written there.
        """
        before, ranks = self._before.get(path, []), self._ranks.get(path, {})
        new = {line: ranks.get(_name(line), -1) for line in lines[len(before) :]}
        if lines[: len(before)] != before or -1 in new.values():
            return lines
        return [*before, *sorted(new, key=new.__getitem__)]


def _content(path: Path) -> list[str]:
    """The lines of a `.gitignore`, or the first lines of the entries of a lock file."""
    try:
        text = path.read_bytes().decode()
        if path.suffix == ".lock":
            return [*splice.split(text).entries]
        return text.removesuffix("\n").split("\n") if text else []
    except (OSError, ValueError, splice.OddError):
        return []


def _earlier(noted: Any, now: list[str]) -> list[str]:
    """What was noted, if it is still there; else, what is there now."""
    return noted if isinstance(noted, list) and now[: len(noted)] == noted else now


def _name(line: str) -> str:
    """The name of the stage or output in a line."""
    if line.startswith("/"):
        return line.replace("\\", "")
    return line.strip().removesuffix(":").strip("'\"")
