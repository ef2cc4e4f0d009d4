"""Where a project's tracked files use the toolkit: imports in Python, calls of `bucket`."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.snapshot import Stage
from dvc_bucket.git.contents import git

#: A line of Python that imports the toolkit.
IMPORT = re.compile(r"^\s*(?:from|import)\s+dvc_bucket\b")

#: A command: `bucket` as a word of its own with another after it, not in prose ("the bucket is").
#: The word stands at the beginning, after a separator of the shell, or in a recipe of make.
COMMAND = re.compile(r"(?:^\s*(?:- |run: )?|[;&|(@`]\s*|\bbin/)bucket\s+[a-z][a-z-]*")

#: A package in a list of requirements, or a table of settings.
PACKAGE = re.compile(r"\bdvc-bucket\b")

#: Files that people read; they are not part of what runs.
PROSE = (".md", ".rst", ".txt")

#: Larger files are data.
MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class Use:
    """A line of a tracked file that uses the toolkit.

    Attributes:
        file: its path from the project's root.
        line: its number, from 1.
        text: the line, without the blanks around it.
    """

    file: str
    line: int
    text: str


def uses(project: Project) -> list[Use]:
    """All lines of tracked files that import the toolkit, name its package or call `bucket`.

    The toolkit's own sources in `toolkit/` and lock files do not count.

    Raises:
        ProjectError: the project is in no git repository.
    """
    names = git(project.root, "ls-files", "-z").split(b"\0")
    return [
        use
        for name in sorted(os.fsdecode(raw) for raw in names if raw)
        if not name.startswith("toolkit/") and not name.endswith((*PROSE, ".lock"))
        for use in _uses_in(project, name)
    ]


def uses_by_stage(stages: Sequence[Stage], project_uses: Sequence[Use]) -> dict[str, list[Use]]:
    """By title of a stage, the imports in its script and in the modules that it depends on."""
    imports = [use for use in project_uses if IMPORT.match(use.text)]
    uses = {}
    for stage in stages:
        code = {dep.path for dep in stage.deps} | set(stage.command.split())
        if of_stage := [use for use in imports if use.file in code]:
            uses[stage.title] = of_stage
    return uses


def _uses_in(project: Project, name: str) -> Iterator[Use]:
    path = project.root / name
    if path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_BYTES:
        return
    pattern = IMPORT if path.suffix in {".py", ".ipynb"} else None
    for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
        code = line.split(" #")[0] if pattern is None else line
        is_use = pattern.match(code) if pattern else COMMAND.search(code) or PACKAGE.search(code)
        if is_use and not code.lstrip().startswith("#"):
            yield Use(name, number, line.strip())
