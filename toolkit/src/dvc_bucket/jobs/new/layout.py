"""Where the scripts of a project are, so that a new one goes beside them."""

import ast
import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

from dvc_bucket.base.paths import Project

if TYPE_CHECKING:
    # Every command of `bucket` imports this module, and a snapshot takes 0.15 s to import.
    from dvc_bucket.dvc.snapshot import Snapshot

Kind = Literal["python", "notebook", "r", "shell"]

#: The end of a script's name.
SUFFIXES: dict[Kind, str] = {"python": ".py", "notebook": ".ipynb", "r": ".R", "shell": ".sh"}

#: Where scripts go in a project that has none.
SOURCES, NOTEBOOKS, TESTS = "src", "notebooks", "tests"

#: The module of a package that has the models of `params.yaml`, if there is one.
MODELS = "params.py"


@dataclass(frozen=True)
class Layout:
    """Paths for a new stage, from the project's root.

    Attributes:
        script: of the stage.
        test: of the stage.
        models: the module to which a model of parameters is added; empty if the script has its own.
        package: that the models are imported from, such as `pipeline`.
    """

    script: str
    test: str
    models: str = ""
    package: str = ""


def layout(project: Project, snapshot: "Snapshot", name: str, kind: Kind) -> Layout:
    """Where the files of a new stage go: beside those of the stages that there are.

    Args:
        project: the clone.
        snapshot: of its workspace.
        name: of the stage.
        kind: of its script.
    """
    folder = _folder(project, snapshot, kind)
    script, test = f"{folder}/{name}{SUFFIXES[kind]}", f"{TESTS}/test_{name}.py"
    package = _package(project.root, project.root / folder)
    models = project.root / folder / MODELS
    if kind == "python" and package and models.is_file() and _has_models(models):
        return Layout(script, test, f"{folder}/{MODELS}", package)
    return Layout(script, test)


def _folder(project: Project, snapshot: "Snapshot", kind: Kind) -> str:
    scripts = [
        PurePosixPath(word)
        for stage in snapshot.stages
        if not stage.folder.strip(".")
        for word in words(stage.command)
        if (project.root / word).is_file()
    ]
    if beside := _usual(path for path in scripts if path.suffix == SUFFIXES[kind]):
        return beside
    if kind == "notebook":
        return NOTEBOOKS
    if beside := _usual(path for path in scripts if path.suffix in SUFFIXES.values()):
        return beside
    packages = sorted((project.root / SOURCES).glob("*/__init__.py"))
    return f"{SOURCES}/{packages[0].parent.name}" if len(packages) == 1 else SOURCES


def _usual(scripts: Iterable[PurePosixPath]) -> str:
    counts = Counter(str(path.parent) for path in scripts if not path.is_absolute())
    return counts.most_common(1)[0][0] if counts else ""


def words(command: str) -> list[str]:
    """The words of a stage's command; none of a line that no shell can read."""
    found: list[str] = []
    for line in command.splitlines():
        try:
            found += shlex.split(line, comments=True)
        except ValueError:
            continue
    return found


def _package(root: Path, folder: Path) -> str:
    """The name by which the package in a folder is imported; empty if it is none."""
    parts: list[str] = []
    while folder != root and (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts)


def _has_models(path: Path) -> bool:
    """Whether a module imports `Params` to derive models from it."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError):
        return False
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "dvc_bucket.stages"
        and any(alias.name == "Params" and alias.asname is None for alias in node.names)
        for node in tree.body
    )
