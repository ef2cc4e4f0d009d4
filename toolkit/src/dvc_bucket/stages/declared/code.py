"""The code of a stage: what its command starts, and what that imports."""

import os
import sys
from pathlib import Path

from dvc_bucket.base import project_settings
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.snapshot import Stage, overlap
from dvc_bucket.stages.declared import imports, programs
from dvc_bucket.stages.declared.imports import Code
from dvc_bucket.stages.declared.programs import Programs


def of_stage(project: Project, stage: Stage) -> tuple[Programs, Code]:
    """What the command of a stage starts, and the code of that.

    Raises:
        ProjectError: `pyproject.toml` cannot be read.
    """
    root = project.root
    started = programs.of_command(stage.command, root / stage.folder)
    current = [root / stage.folder] if started.modules else []
    inside = [Path(path) for path in sys.path if Path(path).is_relative_to(root)]
    own = [path for path in inside if path != root and own_path(project, path)]
    path = [*started.path, *current, root / "src", *own]
    return started, imports.code_of(started.files, started.modules, path)


def own_path(project: Project, file: Path) -> str:
    """The path of a file from the project's root; empty for one that is not its own.

    Code in the folders `packages` of `[tool.dvc-bucket]` counts as installed.
    """
    path = os.path.relpath(file, project.root).replace(os.sep, "/")
    installed = (*project_settings.of(project).packages, ".venv")
    is_own = path[:3] != "../" and not any(overlap(path, folder) for folder in installed)
    return path if is_own else ""
