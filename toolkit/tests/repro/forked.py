"""Runs DVC's commands in forks of one process, which has imported DVC once.

As a program, each line of standard input is a request, `{"folder", "words", "jobs", "variables"}`,
each line of standard output the exit status and what was said. With `jobs` 0 it is plain DVC.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any, Self


class Forks:
    """The process; each command of it runs in a fork."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.repro.forked"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def run(self, folder: Path, *words: str, jobs: int = 0, **variables: str) -> tuple[int, str]:
        """Run `dvc WORDS`; exit status and output."""
        assert self._process.stdin
        assert self._process.stdout
        request = {"folder": str(folder), "words": words, "jobs": jobs, "variables": variables}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        status, said = json.loads(self._process.stdout.readline())
        print(f"$ dvc {' '.join(words)}, {jobs} jobs: {status}\n{said}")
        return status, said


def main() -> None:
    """Answer requests until there are no more."""
    import dvc.cli
    import dvc.commands.repro
    import dvc.commands.status
    import dvc.dependency.param
    import dvc.repo.reproduce
    import dvc.stage.cache
    import dvc.stage.run  # noqa: F401

    import dvc_bucket.dvc.process
    import dvc_bucket.stages.commands.local  # noqa: F401

    for line in sys.stdin:
        with tempfile.TemporaryFile("w+") as said:
            request = json.loads(line)
            child = os.fork()
            if not child:
                _run(said, **request)
            _, status = os.waitpid(child, 0)
            said.seek(0)
            print(json.dumps([os.waitstatus_to_exitcode(status), said.read()]), flush=True)


def _run(said: IO[Any], folder: str, words: list[str], jobs: int, variables: Any) -> None:
    """Run a command as the rest of a fork."""
    for descriptor in (1, 2):
        os.dup2(said.fileno(), descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(folder)
    os.environ.update(variables)
    sys.argv = ["dvc", *words]
    status = 70
    try:
        if jobs:
            from dvc_bucket.dvc import process
            from dvc_bucket.stages import commands

            commands.use(commands.Where(jobs))
            status = process.main(words)
        else:
            from dvc.cli import main as dvc_main

            status = dvc_main(words)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
