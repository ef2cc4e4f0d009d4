"""Has DVC run stages from scratch, and prints what it saw of each.

Usage: python stage_runner TASK, in the project's root. TASK is a JSON file with the arguments of
`main`. Standard output has two JSON objects a stage, a line each: `{"stage", "state": "running"}`,
then the outcome. Messages of DVC go to standard error.
"""

import contextlib
import hashlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

#: Folders of the root with files that no stage reads as its input.
NOT_LISTED = {".git", ".venv", ".dvc"}


#: Whoever has it uses DVC, which is not made for several threads; not while a command runs.
BATON = threading.Lock()


def main(
    stages: list[dict[str, Any]],
    *,
    one_cpu: bool,
    is_watched: bool,
    reads_lock: bool,
    room: dict[str, float],
) -> None:
    """Run each stage whose needs are met; nothing is taken from, or put into, DVC's caches.

    Args:
        stages: in order. Each has `name`, `needs` (names of stages), `deps` and `outs` (paths), and
            `prefix`: words that come before each of its commands. `made`: hashes of its outputs, if
            these are there from a run that was stopped; else None. `cpus`, `memory`: what it says
            that it takes of the room.
        one_cpu: keep to one CPU.
        is_watched: look at the files of a stage before and after it.
        reads_lock: DVC has to know the records of `dvc.lock`; parsing them takes it long.
        room: `jobs`, how many stages run at once at most; `cpus` and `memory` that they share.
    """
    if one_cpu and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def say(**answer: Any) -> None:
        answers.write(json.dumps(answer) + "\n")

    from dvc.repo import Repo, lock_repo

    repo, commands = Repo(), _Commands(is_watched=is_watched)
    _share_nothing(repo, reads_lock=reads_lock)
    with lock_repo(repo):
        repo.lock.lock = repo.lock.unlock = lambda *_, **__: None  # for one of several threads
        # DVC's own `reproduce` reads and writes the files of all stages for each of them.
        known = {stage.addressing: stage for stage in repo.index.stages}
        for stage in stages:
            stage["known"] = known[stage["name"]]
        _run_all(stages, lambda stage: _run(stage, commands), room, say)
    repo.close()


def _share_nothing(repo: Any, *, reads_lock: bool) -> None:
    """Have DVC do without what takes time that grows with the number of stages, for each of them.

    Nobody else works in the clone: no path needs a lock. After a command, only what it can have
    changed is read again. `.gitignore` has the lines that the commit has. Without `reads_lock` no
    stage has a record.
    """
    from dvc import dvcfile, rwlock

    if not reads_lock:
        dvcfile.Lockfile.load = lambda *_, **__: {}
    rwlock.rwlock = lambda *_, **__: contextlib.nullcontext()
    changed = ("index", "dvcignore", "dvcfs", "datafs")
    repo._reset = lambda: [vars(repo).pop(name, None) for name in changed]
    if hasattr(repo, "scm_context"):
        repo.scm_context.ignore = repo.scm_context.ignore_remove = lambda _: None


def _run_all(
    stages: list[dict[str, Any]],
    run: Callable[[dict[str, Any]], dict[str, Any]],
    room: dict[str, float],
    say: Any,
) -> None:
    """Run stages, each after those that it needs, as many at once as there is room for."""
    waiting, running = [*stages], dict[Future[dict[str, Any]], dict[str, Any]]()
    done, lost = set[str](), set[str]()
    threads = ThreadPoolExecutor(int(room["jobs"]))
    while waiting or running:
        for stage in [*waiting]:
            name, need = stage["name"], next((one for one in stage["needs"] if one in lost), None)
            if need:
                lost.add(name)
                say(stage=name, state="not run", because=need)
            elif not done.issuperset(stage["needs"]):
                continue
            elif _is_made(stage):
                done.add(name)
                say(stage=name, state="taken")
            elif _fits(stage, running.values(), room):
                say(stage=name, state="running")
                running[threads.submit(run, stage)] = stage
            else:
                continue
            waiting.remove(stage)
            if len(running) == room["jobs"]:
                break
        for ended in wait(running, return_when=FIRST_COMPLETED).done if running else ():
            name, outcome = running.pop(ended)["name"], ended.result()
            (lost if outcome["state"] == "failed" else done).add(name)
            say(stage=name, **outcome)


def _fits(stage: dict[str, Any], running: Iterable[dict[str, Any]], room: dict[str, float]) -> bool:
    """Whether there is room for a stage; one that is alone always has it."""
    together = [*running, stage]
    fits = all(sum(one[what] for one in together) <= room[what] for what in ("cpus", "memory"))
    return len(together) == 1 or (len(together) <= room["jobs"] and fits)


def _is_made(stage: dict[str, Any]) -> bool:
    """Whether the outputs that are there are those that a stopped run of the stage made."""
    from dvc.exceptions import DvcException

    if stage["made"] is None:
        return False
    try:
        with BATON:
            stage["known"].save(run_cache=False)
            return bool(_made(stage["known"]) == stage["made"])
    except DvcException:  # one is not there
        return False


def _made(known: Any) -> list[str]:
    """The hashes of the outputs of a stage, as DVC recorded them."""
    return [str(out.hash_info.value) for out in known.outs]


def _entry(known: Any) -> dict[str, Any]:
    """What `dvc.lock` would have of the dependencies and outputs of a stage."""
    from dvc.stage.serialize import to_single_stage_lockfile

    entry = to_single_stage_lockfile(known)
    return {kind: [dict(item) for item in entry.get(kind, ())] for kind in ("deps", "outs")}


class _Commands:
    """Stands between DVC and the commands that it starts.

    Args:
        is_watched: look at the files of a stage.
    """

    def __init__(self, *, is_watched: bool) -> None:
        from dvc.stage import run

        for name in ("_make_cmd", "_run"):
            if not hasattr(run, name):
                sys.exit(f"This version of DVC has no dvc.stage.run.{name}, which tracing needs.")
        self._is_watched = is_watched
        self._make_command, self._wait = run._make_cmd, run._run
        self.now = threading.local()  # the stage of a thread; its files before its commands
        run._make_cmd, run._run = self, self._without_baton

    def prepare(self, stage: dict[str, Any]) -> None:
        """The next commands of this thread are those of a stage."""
        self.now.stage, self.now.before = stage, None

    def _without_baton(self, *arguments: Any, **named: Any) -> Any:
        """DVC's `_run`, which starts a command and waits for its end."""
        BATON.release()
        try:
            return self._wait(*arguments, **named)
        finally:
            BATON.acquire()

    def __call__(self, executable: str, command: str) -> list[str]:
        """The words that start a command in a shell; looks at the files before the first one."""
        now = self.now
        if now.before is None:
            now.before = {}
            if self._is_watched:
                now.before = {"files": list(_work_tree()), "before": _state(now.stage)}
        return [*now.stage["prefix"], *self._make_command(executable, command)]


def _run(stage: dict[str, Any], commands: _Commands) -> dict[str, Any]:
    """Run a stage: how it ended, when, and its files before and after its commands."""
    commands.prepare(stage)
    known = stage["known"]
    outcome: dict[str, Any] = {"state": "done", "started": time.time()}
    with BATON:
        try:
            known.reproduce(force=True, no_commit=True, run_cache=False)
            outcome |= {"made": _made(known), "entry": _entry(known)}
        except Exception as error:  # the edge to DVC: it fails in many ways
            outcome |= {"state": "failed", "because": _chain(error)}
    outcome["ended"] = time.time()
    before = commands.now.before
    if outcome["state"] == "done" and before is None:
        sys.exit(
            f"This version of DVC ran {stage['name']} in another way, so it could not be traced."
        )
    return outcome | ({**before, "after": _state(stage)} if before else {})


def _state(stage: dict[str, Any]) -> dict[str, Any]:
    """The files of a stage, by path.

    `deps` have a hash; `outs` have name, inode and times of each file, of which every way to write
    a file changes one.
    """
    return {"deps": _hashes(stage["deps"]), "outs": _stats(stage["outs"])}


def _hashes(paths: list[str]) -> dict[str, str]:
    """A hash of each file at or below the paths that exist."""
    hashes = {}
    for path in paths:
        for file in _files(path):
            with file.open("rb") as stream:
                hashes[str(file)] = hashlib.file_digest(stream, "blake2b").hexdigest()
    return hashes


def _stats(paths: list[str]) -> dict[str, list[Any]]:
    """Name, inode and times of each file at or below a path, by path."""
    return {
        path: [
            (str(file), stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns)
            for file in _files(path)
            for stat in [file.stat()]
        ]
        for path in paths
    }


def _files(path: str) -> list[Path]:
    """The file itself, or the files of a folder, in order."""
    place = Path(path)
    return sorted(file for file in (place, *place.rglob("*")) if file.is_file())


def _work_tree() -> Iterator[str]:
    """Paths of all files of the work tree."""
    for folder, folders, names in os.walk("."):
        if folder == ".":
            folders[:] = [name for name in folders if name not in NOT_LISTED]
        for name in names:
            yield f"{folder}/{name}"[2:]


def _chain(error: BaseException | None) -> str:
    """What an error says, and what those say that caused it."""
    texts = []
    while error is not None:
        texts.append(" ".join(str(error).split()))
        error = error.__cause__
    return ": ".join(texts)


if __name__ == "__main__":
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # for the stages: this Python writes that of DVC
    main(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
