"""`python -m dvc_bucket.dvc.process ARGUMENTS`: `dvc ARGUMENTS`, its bytes moved fast.

Where DVC differs from the tested one, or with `BUCKET_FAST=0`, plain DVC does the work; see
`patched.install`. `gc` is guarded then, too, or refused.
"""

import atexit
import contextlib
import gc
import os
import sys
import threading
from collections.abc import Sequence
from typing import NoReturn

from dvc_bucket.base import tried_again
from dvc_bucket.base.errors import BucketError
from dvc_bucket.base.paths import Project
from dvc_bucket.base.terminal import say, visible
from dvc_bucket.connection import log
from dvc_bucket.connection.masking import masked
from dvc_bucket.dvc import hindrances, looks, never_here, packages
from dvc_bucket.dvc import nothing_to_do as nothing
from dvc_bucket.dvc.patched import (
    command_line,
    install,
    last_index,
    reported_status,
    side_by_side,
)

#: DVC makes many small objects and few cycles: to look for those every 700 objects, the default,
#: costs a tenth of a `dvc pull` with nothing to do.
GARBAGE_OBJECTS = 100_000

#: DVC's words that move the data of the work tree and say when all of it is there.
MOVES = {"push", "pull", "fetch"}


def main(arguments: Sequence[str]) -> int:
    """Run DVC's own command line in this process and return its exit status."""
    gc.set_threshold(GARBAGE_OBJECTS, *gc.get_threshold()[1:])
    begun = looks.now()
    try:
        log.follow("dvc")
        if plain := install.install():
            if side_by_side.runner and side_by_side.runner.is_elsewhere:
                say(f"{plain} It cannot submit jobs, so nothing was run.")
                return 1
            alone = " Stages run one at a time." if side_by_side.runner else ""
            say(f"{plain}{alone}")
        # What the imports made stays to the end: no reason to look through it again.
        gc.freeze()
        with _guarded(arguments) as words:
            hindrances.refuse(words)
            packages.refuse(words)
            if plain:
                return command_line.run_plain(words)
            status = command_line.run(words)
    except BucketError as error:
        say(masked(str(error)))
        return error.status
    is_in_order = nothing.is_whole(arguments) and not reported_status.differences
    if status == 0 and (is_in_order or MOVES.intersection(arguments[:1])):
        status = _look_back(arguments[0], begun if is_in_order else None)
    for why in hindrances.explained(arguments) if status else ():
        say(why)
    if status and {"pull", "fetch"}.intersection(arguments[:1]) and (why := never_here.explained()):
        say(why)
    if status == 0 and arguments[:1] == ["repro"] and "--dry" not in arguments:
        _drop_gone()
    return status


def become(arguments: Sequence[str]) -> NoReturn:
    """Run DVC as the rest of this process, which ends with its exit status."""
    sys.argv = ["dvc", *arguments]  # DVC quotes it in what it writes
    leave(main(arguments))


def _look_back(word: str, begun: int | None) -> int:
    """Name the files that DVC silently ignored; returns 1 if it ignored any.

    A push or pull that leaves out what git tracks is not complete, whatever DVC has printed.

    Args:
        word: a command of DVC that has succeeded.
        begun: its start, if everything is up to date after it; otherwise None.
    """
    from dvc_bucket.dvc.remote.outputs import opened
    from dvc_bucket.dvc.remote.unseen import FIX, unseen

    project = Project.find()
    try:
        with opened(project) as repo:
            last_index.give(repo)
            hidden = unseen(project, repo) if word in MOVES else {}
            if begun and not hidden:
                nothing.note(project, repo, word, begun)
    except BucketError:  # git or DVC cannot read the project, and DVC has said so
        return 0
    for path, why in hidden.items():
        say(f"{path}: {why}. Its data was not moved.")
    if hidden:
        say(FIX)
    return 1 if hidden else 0


def _drop_gone() -> None:
    """Remove from lock files the stages that are gone, and name them.

    Where that fails, the entries stay for the next time: the exit status is that of DVC.
    """
    from dvc_bucket.dvc.lock import gone

    try:
        dropped = gone.drop(Project.find())
    except BucketError as error:
        say(masked(str(error)))
        return
    for file, names in dropped.items():
        print(visible(f"{file}: removed {', '.join(names)}, which dvc.yaml no longer has."))


def _guarded(arguments: Sequence[str]) -> contextlib.AbstractContextManager[Sequence[str]]:
    """The arguments for DVC; `gc` is looked at first."""
    if "gc" not in arguments:
        return contextlib.nullcontext(arguments)
    from dvc_bucket.dvc.gc.guard import guarded

    return guarded(arguments)


def leave(status: int) -> NoReturn:
    """End this process, its work done, without taking its memory apart object by object.

    For the index of 10,000 files that takes Python a fifth of a `dvc pull` with nothing to do; the
    kernel does it at once. What modules and threads want done at the end is done before.
    """
    tried_again.tell()
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError):  # a reader that is gone: Python's own end tells
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
