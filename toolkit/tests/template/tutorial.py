"""The tutorial as a script: its blocks of shell, and its files where they are given."""

import re
import shlex
import shutil
from pathlib import Path

from tests import TESTS_ROOT

PAGE = TESTS_ROOT / "docs" / "tutorial.md"

BLOCK = re.compile(r"^```(sh|python (\S+))\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def script() -> str:
    """The commands of the page in their order, ended by the first that fails."""
    steps = ["set -eux"]
    for kind, file, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "sh":
            steps.append(text)
        else:
            steps.append(f"printf %s {shlex.quote(text)} >{shlex.quote(file)}")
    return "\n".join(steps)


def tools_of_the_tests(folder: Path, venv: Path) -> Path:
    """A folder with a `make` that takes an environment that is there instead of setting one up."""
    folder.mkdir()
    make = folder / "make"
    real = shutil.which("make")
    make.write_text(
        f'#!/bin/sh\n[ -e .venv ] || ln -s "{venv}" .venv\nexec {real} -o .venv/.installed "$@"\n'
    )
    make.chmod(0o755)
    return folder
