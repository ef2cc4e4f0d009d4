"""A small project with the Makefile of a generated one, and a package registry in a folder."""

import hashlib
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tests.clones import TOOLS, Clone

PYPROJECT = """\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "mine"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = [
    # The data
    "dvc-bucket[all]",        # the toolkit
    "first>=1.0",             # why
]

[project.optional-dependencies]
dev = [
    "tool>=1.0",              # lint
]
"""


def make_wheel(folder: Path, name: str, version: str, *requires: str) -> str:
    """Write a wheel of an empty package and return its SHA-256."""
    folder.mkdir(parents=True, exist_ok=True)
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    path = folder / f"{module}-{version}-py3-none-any.whl"
    needs = "".join(f"Requires-Dist: {line}\n" for line in requires)
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: all\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{module}.py", "")
        archive.writestr(f"{info}/METADATA", metadata + needs)
        tag = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr(f"{info}/WHEEL", tag)
        archive.writestr(f"{info}/RECORD", "")
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class SmallProject:
    """The project, and the folder that stands for the registry."""

    clone: Clone
    registry: Path

    def publish(self, name: str, version: str, *requires: str) -> str:
        """Put a package into the registry and return the SHA-256 of its wheel."""
        folder = self.registry / name
        sha256 = make_wheel(folder, name, version, *requires)
        links = (f'<a href="{wheel.name}">{wheel.name}</a>' for wheel in folder.glob("*.whl"))
        (folder / "index.html").write_text("<!doctype html>\n" + "\n".join(links))
        return sha256

    @property
    def root(self) -> Path:
        return self.clone.root

    def pins(self, lock: str = "requirements.lock") -> dict[str, str]:
        """Version by name in a lock file."""
        lines = (self.root / lock).read_text().splitlines()
        return dict(line.rstrip(" \\").split("==") for line in lines if "==" in line)


def small_project(folder: Path, makefile: Path) -> SmallProject:
    """A project that asks for the vendored toolkit, a package and a tool; not locked yet."""
    root, registry = folder / "mine", folder / "registry"
    root.mkdir(parents=True)
    (root / "Makefile").write_bytes(makefile.read_bytes())
    (root / "pyproject.toml").write_text(PYPROJECT)
    for lock in ("requirements.lock", "requirements-dev.lock"):
        (root / lock).touch()
    sha256 = make_wheel(root / "vendor", "dvc-bucket", "1.0.0", "first>=1.0")
    (root / "vendor" / "pin.txt").write_text(f"dvc-bucket==1.0.0 --hash=sha256:{sha256}\n")
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").touch()
    (root / ".venv").mkdir()  # notes of make only: the tools are those that run the tests
    foreign = ("UV_", "PIP_", "MAKE", "MFLAGS")
    env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    env |= {
        "PATH": os.pathsep.join([str(TOOLS), env["PATH"]]),
        "UV_CACHE_DIR": str(folder / "cache"),
        "UV_OFFLINE": "1",
        "UV_DEFAULT_INDEX": registry.as_uri(),
    }
    project = SmallProject(Clone(root, env), registry)
    for name in ("first", "second", "tool"):
        project.publish(name, "1.0")
    return project
