"""Distributions that add to the toolkit, made for a test and installed for real."""

import json
import re
import subprocess
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from dvc_bucket import Project
from tests import TESTS_ROOT
from tests.bucket.git_tools import TOOLS, environment

PAGE = (TESTS_ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```\w+ (\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
GROUPS: dict[str, dict[str, str]] = tomllib.loads(BLOCKS["pyproject"])["project"]["entry-points"]

#: A program that lists the commands of plugins.
LIST_COMMANDS = """
import json, sys
from dvc_bucket import plugin
name, *taken = sys.argv[1:]
found = [name for name, _ in plugin.commands(name or None, taken)]
print(json.dumps([found, sorted(set(sys.modules) & {"lab_tools", "other", "typer", "dvc"})]))
"""

CHECK = """
from dvc_bucket.plugin import Check

class {name}(Check):
    "It is needed."
    name, fix, requires = "{title}", "Fix it.", ({requires})

    @staticmethod
    def check(patient):
        {body}
"""


def install(
    folder: Path,
    module: str,
    code: str,
    groups: Mapping[str, Mapping[str, str]],
    version: str = "1.0",
) -> Path:
    """Install a distribution of one module, as pip leaves it."""
    metadata = folder / f"{module}-{version}.dist-info"
    metadata.mkdir(parents=True)
    name = module.replace("_", "-")
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = []
    for group, points in groups.items():
        lines += [f"[{group}]", *(f"{point} = {value}" for point, value in points.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
    (folder / f"{module}.py").write_text(code)
    return folder


def run(
    root: Path, packages: Path | str, *command: str | Path
) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        command,
        cwd=root,
        env=environment() | {"PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    print(done.stdout + done.stderr)
    return done


def commands(root: Path, packages: Path | str, *names: str) -> tuple[list[str], list[str], str]:
    """Names of the commands, which of some modules are loaded, and stderr."""
    done = run(root, packages, TOOLS / "python", "-P", "-c", LIST_COMMANDS, *(names or ("",)))
    assert done.returncode == 0
    found, modules = json.loads(done.stdout)
    return found, modules, done.stderr


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """The example of the page, installed."""
    return install(tmp_path / "packages", "lab_tools", BLOCKS["lab_tools"], GROUPS)


@pytest.fixture
def doctor(store: Project) -> Callable[[Path], tuple[dict[str, dict[str, str]], str, int]]:
    """`bucket doctor` with packages: the checks by name, in their order, stderr, exit status."""

    def call(packages: Path) -> tuple[dict[str, dict[str, str]], str, int]:
        done = run(store.root, packages, TOOLS / "bucket", "doctor", "--read-only", "--json")
        checks: list[dict[str, Any]] = json.loads(done.stdout)["checks"]
        return {check["name"]: check for check in checks}, done.stderr, done.returncode

    return call


Doctor = Callable[[Path], tuple[dict[str, dict[str, str]], str, int]]
