"""The tutorial as a script: its blocks of shell, and its files where they are given."""

import re
import shlex
import shutil
from pathlib import Path

from tests import TESTS_ROOT
from tests.clones import TOOLS

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


def tools_of_the_tests(folder: Path) -> Path:
    """A folder with a `make` that takes the environment of the tests instead of setting one up.

    The programs of `.venv` are those that run the tests. A link to the whole environment would not
    do, as it names folders by their place.
    """
    programs = folder / "venv" / "bin"
    programs.mkdir(parents=True)
    for program in TOOLS.iterdir():
        if not program.name.startswith("python"):
            (programs / program.name).symlink_to(program)
    make = folder / "make"
    scripts = {
        programs / "python": f'exec "{TOOLS}/python" "$@"',
        make: f'[ -e .venv ] || ln -s "{programs.parent}" .venv\n'
        f'exec {shutil.which("make")} -o .venv/.installed "$@"',
    }
    for path, text in scripts.items():
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    return folder
