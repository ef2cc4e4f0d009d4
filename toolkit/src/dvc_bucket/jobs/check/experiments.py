"""A stage that is run alone and again, under conditions that are chosen one by one.

Its commands run without DVC, in the clone of the first run, whose files they find as DVC left them.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.snapshot import Stage
from dvc_bucket.jobs.check import environment, processes
from dvc_bucket.jobs.check.clone import Clones
from dvc_bucket.jobs.check.environment import VENV
from dvc_bucket.jobs.check.runs import Bench, CloneRun, clear, object_names
from dvc_bucket.jobs.check.variations import FIRST, Variation

#: Of each output of a stage the contents of its files.
Contents = list[dict[str, bytes]]

#: A command that hangs as its clock stands is ended after so many times of what it took first, and
#: so many seconds more.
TIMES_LONGER = 10
SECONDS_LONGER = 60.0

#: Starts a command on one CPU.
ON_ONE_CPU = (
    "import os, sys; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
    "os.execvp(sys.argv[1], sys.argv[1:])"
)

#: Folders of the project that are no input of a stage.
NOT_COPIED = (".git", ".dvc", VENV)


@dataclass(frozen=True)
class Lab:
    """Runs stages of a first run again.

    Attributes:
        bench: environment of the stages.
        clones: makes another folder.
        run: in which the stages ran first.
    """

    bench: Bench
    clones: Clones
    run: CloneRun

    def make(self, stage: Stage, variation: Variation) -> Contents | None:
        """What the stage makes under conditions; None if it fails, or does not end.

        Args:
            stage: one that succeeded in the first run.
            variation: the conditions.

        Raises:
            CheckError: an output is outside the clone.
            NotCheckedError: another clone cannot be made here.
        """
        self.bench.say(f"looking for the cause in {stage.name}: {variation.title}")
        clone = self.run.clone
        if variation.folder != FIRST.folder:
            clone = self._elsewhere
            for path in self._inputs(stage):
                _copy(self.run.clone.root / path, clone.root / path)
        clear(clone, [stage])
        folder = Path(tempfile.mkdtemp(prefix="experiment-", dir=self.bench.folder))
        limit = self.run.seconds[stage.name] * TIMES_LONGER + SECONDS_LONGER
        try:
            status = processes.run(
                self._command(stage, variation),
                cwd=clone.root / stage.folder,
                env=self._environment(stage, clone, variation, folder),
                log=folder / "output.log",
                seconds=limit,
            )
        except subprocess.TimeoutExpired:
            return None
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        made = [object_names(clone.root / out.path) for out in stage.outs]
        return made if status == 0 and all(made) else None

    def _command(self, stage: Stage, variation: Variation) -> list[str]:
        is_kept = variation.one_cpu and hasattr(os, "sched_setaffinity")
        words = [sys.executable, "-I", "-S", "-c", ON_ONE_CPU] if is_kept else []
        return [*words, "/bin/sh", "-e", "-c", stage.command]

    def _environment(
        self, stage: Stage, clone: Project, variation: Variation, folder: Path
    ) -> Mapping[str, str]:
        bench = self.bench
        env = environment.variables(
            bench.project, clone, bench.packages, bench.settings, folder, variation.changes
        )
        env |= {"DVC_ROOT": str(clone.root), "DVC_STAGE": stage.name}
        return env | environment.of_commands(variation.inside, env)

    def _inputs(self, stage: Stage) -> Iterator[str]:
        """What the stage depends on, and what else of the clone it read."""
        yield from (dep.path for dep in stage.deps if "://" not in dep.path)
        trace, root = self.run.executions[stage.name].trace, f"{self.run.clone.root}/"
        for path in sorted(trace.read if trace else ()):
            inside = path.removeprefix(root)
            if inside != path and inside.split("/")[0] not in NOT_COPIED:
                yield inside

    @cached_property
    def _elsewhere(self) -> Project:
        """A clone in another folder."""
        clone = self.clones.make("a clone, é")
        if venv := self.bench.packages.venv:
            (clone.root / VENV).symlink_to(venv)
        return clone


def _copy(source: Path, target: Path) -> None:
    """Copy a file or folder, with its times: no other ones are to be seen."""
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        shutil.copy2(source, target)
