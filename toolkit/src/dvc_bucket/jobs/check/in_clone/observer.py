"""The shell that DVC gives the commands of stages to: watches a command while it runs.

Usage: python observer.py CONFIG -c COMMAND, as DVC calls `$SHELL -c COMMAND`. CONFIG is a JSON file
that says, by stage, what it declares, and how to trace. What is seen goes to a file a command.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: What is no part of the work tree: of folders, by name at the root, neither content nor change.
NOT_WATCHED = {".git", ".venv", ".dvc"}

#: Options with which DVC starts these shells, so that nobody's start-up files play a part.
QUIET = {"zsh": ["--no-rcs"], "bash": ["--noprofile", "--norc"]}


def main(config: dict[str, Any], command: str) -> int:
    """Run the command of a stage, and write down what was seen."""
    root = Path(config["root"])
    name = os.environ.get("DVC_STAGE", "")  # from the root, where DVC was started
    declared = config["stages"].get(name, {"deps": [], "outs": []})
    seen: dict[str, Any] = {"stage": name, "command": command, "started": time.time()}
    seen["before"] = hashes(root, declared["deps"])
    seen["outs_before"] = looks(root, declared["outs"])
    seen["files"] = sorted(files(root)) if config["trace"] else []
    folder = Path(tempfile.mkdtemp(dir=config["folder"], prefix="command-"))
    seen["status"] = run(command, config, folder, name)
    seen["after"] = hashes(root, declared["deps"])
    seen["outs_after"] = looks(root, declared["outs"])
    seen["ended"] = time.time()
    part = folder / "seen.part"
    part.write_text(json.dumps(seen), encoding="utf-8")
    part.replace(folder / "seen.json")
    return int(seen["status"])


def run(command: str, config: dict[str, Any], folder: Path, name: str) -> int:
    """Run the command as DVC would, with the tracer around it; its exit status."""
    shell = config["shell"]
    words = [shell, *QUIET.get(Path(shell).name, []), "-c", command]
    variables = dict(os.environ)
    if config["own_shell"]:
        variables["SHELL"] = config["own_shell"]
    if config["trace"] == "strace":
        words = [*config["strace"], "-o", str(folder / "trace"), *words]
    elif config["trace"] == "audit":
        variables["BUCKET_AUDIT"] = str(folder)
        path = [config["audit"], variables.get("PYTHONPATH", "")]
        variables["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    with (Path(config["logs"]) / f"{name.replace('/', '_')}.log").open("ab") as log:
        done = subprocess.run(words, env=variables, stdout=log, stderr=log, check=False)
    # As a shell tells of a child that a signal ended.
    return done.returncode if done.returncode >= 0 else 128 - done.returncode


def hashes(root: Path, paths: list[str]) -> dict[str, str]:
    """A hash of each file at or below the paths; nothing of those that are not there."""
    found = {}
    for path in paths:
        for file in below(root / path):
            with file.open("rb") as stream:
                digest = hashlib.file_digest(stream, "blake2b").hexdigest()
            found[os.path.relpath(file, root)] = digest
    return found


def looks(root: Path, paths: list[str]) -> dict[str, list[list[Any]]]:
    """Of each path, its files by name, inode and times, which every way to write one changes."""
    found = {}
    for path in paths:
        stats = [(file, file.stat()) for file in below(root / path)]
        found[path] = [
            [os.path.relpath(file, root), stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns]
            for file, stat in stats
        ]
    return found


def below(path: Path) -> Iterator[Path]:
    """The file itself, or the files of a folder, in order."""
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from sorted(file for file in path.rglob("*") if file.is_file())


def files(root: Path) -> Iterator[str]:
    """Paths of all files of the work tree."""
    for folder, folders, names in os.walk(root):
        if Path(folder) == root:
            folders[:] = [name for name in folders if name not in NOT_WATCHED]
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), root)  # noqa: PTH118 (a million)


if __name__ == "__main__":
    main_config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.exit(main(main_config, sys.argv[3]))
