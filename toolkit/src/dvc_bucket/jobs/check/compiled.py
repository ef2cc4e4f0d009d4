"""Bytecode of the packages that the stages of a check import.

Stages write none, so that each reads the sources. Without any, each would compile all that it
imports; and to compile all modules of all packages takes most of their installation, although few
are ever imported.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.snapshot import Stage
from dvc_bucket.jobs.check import processes
from dvc_bucket.stages.declared.code import of_stage

#: Imports what its arguments name: modules, and names in them, which a lazy package imports then.
#: A package that fails here fails in its stage, too, where the message is read.
IMPORT = """\
import contextlib, pkgutil, sys
for name in sys.argv[1:]:
    with contextlib.suppress(BaseException):
        pkgutil.resolve_name(name)
"""


def compile_imports(
    clone: Project, stages: Iterable[Stage], python: Path, env: Mapping[str, str], log: Path
) -> None:
    """Import the packages that the Python code of some stages imports, which writes bytecode.

    Args:
        clone: with the code.
        stages: of it.
        python: with the packages.
        env: in which it runs.
        log: of what is printed. The folder with it takes what packages write into a home folder.
    """
    names: set[str] = set()
    for stage in stages:
        with suppress(ProjectError):  # which the check reports where it needs the same file
            names |= of_stage(clone, stage)[1].others.keys()
    # -P: no module of the current folder.
    command: list[str | Path] = [python, "-P", "-c", IMPORT, *sorted(names)]
    processes.run(command, cwd=log.parent, env={**env, "HOME": str(log.parent)}, log=log)
