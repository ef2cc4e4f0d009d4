"""The faults of the declarations in `dvc.yaml`, each as a sentence with what to do."""

import os
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.packages import FILE
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.snapshot import Snapshot, Stage, overlap
from dvc_bucket.git.contents import git
from dvc_bucket.stages.declared import packages, versions
from dvc_bucket.stages.declared.code import of_stage, own_path
from dvc_bucket.stages.declared.imports import Code
from dvc_bucket.stages.declared.packages import Imported
from dvc_bucket.stages.declared.programs import PYTHON, Programs


def stage_faults(root: Path | None = None) -> list[str]:
    """Differences between `dvc.yaml` and what its stages run, import and read.

    It covers stages of any kind in any dvc.yaml: Python scripts, modules (`python -m`), notebooks,
    shell and R scripts, shell commands, `foreach` and `matrix`. It runs nothing and needs no data.
    The rules:

    - the deps contain the script and each module of the project that it imports (or a folder with
      them), and no Python file that the stage neither runs nor imports;
    - a path on a command line that git or DVC tracks is a dep, an output or a parameter file;
    - git or DVC tracks each dep, or a stage writes it;
    - a declared parameter exists, and a section that the code reads through a model
      (`dvc_bucket.stages.Params`) is declared;
    - in a project with packages.yaml, a package that the code imports, R or Python, and a tool of
      `meta: tools:` is named in the params, no other is that nothing of it needs, and the versions
      are those of the lock file, or of renv.lock.

    It ignores paths in `meta: reads:` of a stage, and code in the folders `packages` of
    `[tool.dvc-bucket]`, which counts as installed.

    Args:
        root: a folder of the project (default: the current one).

    Returns:
        One sentence per difference, in the order of the stages.

    Raises:
        ProjectError: DVC cannot read the project.
    """
    project = Project.find(root)
    snapshot = Snapshot.at(project)
    if snapshot.graph_error:
        return [snapshot.graph_error]
    known = _Known.of(project, snapshot)
    texts: dict[str, None] = {}
    for stage in snapshot.stages:
        texts |= dict.fromkeys(_StageCheck(project, known, stage).faults())
    return [*texts, *versions.faults(project, snapshot)]


@dataclass(frozen=True)
class _Known:
    """What the project has: paths from its root.

    Attributes:
        data: all outputs of stages and tracked data.
        files: of git, tracked or new; None if the project is in no repository.
    """

    data: Sequence[str]
    files: Sequence[str] | None

    @classmethod
    def of(cls, project: Project, snapshot: Snapshot) -> "_Known":
        words = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
        try:
            names = os.fsdecode(git(project.root, *words)).split("\0")
        except ProjectError:
            names = None
        return cls(list(snapshot.outs), names)


@dataclass(frozen=True)
class _StageCheck:
    """The check of one stage."""

    project: Project
    known: _Known
    stage: Stage

    def faults(self) -> Iterator[str]:
        """A sentence for each fault."""
        started, code = of_stage(self.project, self.stage)
        files = {*code.files, *started.files}
        own = sorted(path for file in files if (path := own_path(self.project, file)))
        for path in own:
            if not self._is_declared(path, self._deps):
                yield self._said(f"runs or imports {path}, which is not among its deps. Add it.")
        if code.files and code.is_whole:
            yield from self._needless(own, started)
        yield from self._on_command_line(started, own)
        yield from self._nowhere()
        yield from self._params(code)
        if self.project.packages.exists() or packages.named(self.stage):
            yield from self._packages(started, code)

    def _packages(self, started: Programs, code: Code) -> Iterator[str]:
        try:
            imported = Imported.of_programs(self.project, self.stage, started, code)
        except ProjectError as error:  # `meta: tools:` is no list of names
            yield str(error)
            return
        yield from map(self._said, packages.faults(self.stage, code, imported))

    def _needless(self, own: Sequence[str], started: Programs) -> Iterator[str]:
        words = {posixpath.normpath(posixpath.join(self.stage.folder, w)) for w in started.words}
        for path in self._deps:
            is_data = any(overlap(path, data) for data in self.known.data)
            if path.endswith(PYTHON) and path not in own and path not in words and not is_data:
                yield self._said(f"has the dep {path}, which it does not import. Remove it.")

    def _on_command_line(self, started: Programs, own: Sequence[str]) -> Iterator[str]:
        """Known files among the words of the command, beside its code, that are not declared."""
        declared = [*self._deps, *self._outs, *self.stage.params, *own]
        parts = (part for words in started.words for part in words.split("="))
        for word in dict.fromkeys(parts):
            path = posixpath.normpath(posixpath.join(self.stage.folder, word))
            is_known = path in self.known.data or path in (self.known.files or ())
            if word and is_known and not self._is_declared(path, declared):
                yield self._said(
                    f"has {path} on its command line, which is neither a dep, an output nor a "
                    "params file. Declare it."
                )

    def _nowhere(self) -> Iterator[str]:
        if self.known.files is None:
            return
        for path in (*self._deps, *self.stage.params):
            is_inside = "://" not in path and not posixpath.isabs(path) and path[:3] != "../"
            if is_inside and not any(
                overlap(path, one) for one in (*self.known.data, *self.known.files)
            ):
                yield self._said(
                    f"has the dep {path}, which is neither in git, nor tracked by DVC, nor the "
                    "output of a stage, so nobody else can get it."
                )

    def _params(self, code: Code) -> Iterator[str]:
        declared = set()
        for file, params in self.stage.params.items():
            if file == FILE:
                continue
            declared |= {key.partition(".")[0] for key in params.keys or params.current}
            for key in params.keys:
                if key not in params.current:
                    yield self._said(f"has the parameter {key}, which {file} does not have.")
        for section in sorted(code.sections - declared):
            yield self._said(f"reads the section {section} of the parameters. Add it to params.")
        for section in sorted((code.models - code.sections) & declared):
            yield self._said(f"has the params {section}, which it does not read. Remove it.")

    @property
    def _deps(self) -> list[str]:
        return [dep.path for dep in self.stage.deps]

    @property
    def _outs(self) -> list[str]:
        return [out.path for out in self.stage.outs]

    def _is_declared(self, path: str, declared: Sequence[str]) -> bool:
        allowed = self.stage.meta.get("reads") or ()
        return any(overlap(path, one) for one in (*declared, *allowed))

    def _said(self, what: str) -> str:
        return f"{self.stage.file}: stage {self.stage.title.partition('@')[0]} {what}"
