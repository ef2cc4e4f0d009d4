"""Has DVC run stages one by one, from scratch, and says on standard output how each went.

Usage: python driver.py TASK, in the project's root. TASK is a JSON file: `stages`, in the order in
which to run them, with the names of those that each needs; `one_cpu`, to keep to one. Each line of
output is a JSON object. What DVC itself prints goes to standard error.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any


def main(stages: dict[str, list[str]], *, one_cpu: bool) -> None:
    """Run each stage whose needs are met; nothing is taken from, or put into, DVC's caches."""
    if one_cpu and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def say(**what: Any) -> None:
        answers.write(json.dumps(what) + "\n")

    from dvc.repo import Repo

    repo, lost = Repo(), set()
    for name, needs in stages.items():
        if cause := next((need for need in needs if need in lost), None):
            lost.add(name)
            say(stage=name, state="not run", because=cause)
            continue
        say(stage=name, state="running")
        start = time.monotonic()
        try:
            repo.reproduce(name, single_item=True, force=True, no_commit=True, run_cache=False)
        except Exception as error:
            lost.add(name)
            say(stage=name, state="failed", because=_chain(error))
        else:
            say(stage=name, state="done", seconds=time.monotonic() - start)
    repo.close()


def _chain(error: BaseException | None) -> str:
    """What an error says, and what those say that caused it, but for DVC's outermost."""
    said = []
    while error is not None:
        said.append(" ".join(str(error).split()))
        error = error.__cause__
    return ": ".join(said[1:] or said)


if __name__ == "__main__":
    main(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
