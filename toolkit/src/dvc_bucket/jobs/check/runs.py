"""One run of the stages of a commit, in a clone, from the inputs alone.

`Bench.pull` gets the inputs. `Bench.run` removes the outputs and has DVC run each stage, in the
environment of the commit (`dvc/patched/stage_runner`), with a tracer before each of its commands.
The runner prints a line for each stage: an `Execution`. A `CloneRun` holds them.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dvc_bucket.base.errors import (
    BucketError,
    CheckError,
    NotCheckedError,
    StrangerError,
    TransferError,
)
from dvc_bucket.base.paths import Project
from dvc_bucket.base.words import counted
from dvc_bucket.connection.overrides import point_dvc_at
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc import connected
from dvc_bucket.dvc.patched import stage_runner
from dvc_bucket.dvc.remote import Remote
from dvc_bucket.dvc.snapshot import PathRecord, Stage
from dvc_bucket.jobs.check import environment, machine_faults, processes, trace
from dvc_bucket.jobs.check.environment import Packages
from dvc_bucket.jobs.check.executions import Execution
from dvc_bucket.jobs.check.outputs import clear, object_names
from dvc_bucket.jobs.check.stopped import Stopped
from dvc_bucket.jobs.check.trace import Tracer
from dvc_bucket.jobs.check.variations import Variation
from dvc_bucket.stages.commands import needs

#: Starts a command whose output goes to the file that is the first argument.
TO_LOG = ("/bin/sh", "-c", 'log=$1; shift; exec "$@" >>"$log" 2>&1', "sh")

#: Files with what the commands of a stage print, beside its traces; with the runner's arguments.
LOG, TASK = "output.log", "task.json"


@dataclass(frozen=True)
class CloneRun:
    """Stages that ran in a clone.

    Attributes:
        variation: what was changed in this run.
        clone: the project in which they ran.
        folder: with logs and traces.
        executions: by name of the stage, in order.
        stages: those that succeeded, by name, with what the run read and wrote as their records.
        tracing: how files and connections were seen; empty if they were not.
    """

    variation: Variation
    clone: Project
    folder: Path
    executions: Mapping[str, Execution]
    stages: Mapping[str, Stage]
    tracing: str

    @property
    def title(self) -> str:
        """Its name in the report."""
        return self.variation.title

    @cached_property
    def seconds(self) -> dict[str, float]:
        """How long each stage took that succeeded, by name."""
        ended = (run for run in self.executions.values() if run.state == "done")
        return {run.stage: round(run.ended - run.started, 3) for run in ended}

    @cached_property
    def records(self) -> dict[str, PathRecord]:
        """What DVC recorded of the outputs of the stages that succeeded, by path."""
        return {out.path: out for stage in self.stages.values() for out in stage.outs}

    def names(self, record: PathRecord) -> dict[str, bytes]:
        """The files of an output, by path in it, with names of objects as those of `record`."""
        return object_names(self.clone.root / record.path, is_legacy=record.is_legacy)

    def file(self, path: str, name: bytes, *, is_cached: bool) -> Path:  # noqa: ARG002
        """A file of an output."""
        return self.clone.root / path

    def output(self, stage: str) -> list[str]:
        """The last lines that the commands of a stage printed."""
        return processes.tail(_stage_folder(self.folder, stage) / LOG).splitlines()


@dataclass(frozen=True)
class Bench:
    """What the runs of a check have in common.

    Attributes:
        project: the person's.
        settings: the connection, or why there is none.
        packages: that the stages run with.
        folder: for logs and traces, and gone at the end.
        say: hears what is being done.
        stopped: stages that a stopped check had run.
        jobs: how many stages run at once at most.
    """

    project: Project
    settings: Settings | BucketError
    packages: Packages
    folder: Path
    say: Callable[[str], None]
    stopped: Stopped
    jobs: int = 1

    def pull(self, clone: Project, paths: Sequence[str]) -> None:
        """Bring inputs from the remote into a clone.

        Raises:
            CheckError: the remote does not have them.
            NotCheckedError: the remote cannot be reached, or this machine fails.
            BucketError: the connection is not set up.
        """
        self.say("getting the inputs")
        if not paths:
            return
        if isinstance(self.settings, BucketError):
            raise self.settings
        point_dvc_at(clone, self.settings)
        log = self.folder / "pull.log"
        env = connected.environment(clone, self.settings)
        command = [sys.executable, "-m", "dvc_bucket.dvc.process", "pull", "--", *paths]
        if processes.run(command, cwd=clone.root, env=env, log=log) != 0:
            said = processes.tail(log, 5)
            if why := self.why_no_store(clone) or machine_faults.of_text(said):
                raise NotCheckedError(f"The inputs cannot be pulled here: {why}")
            raise CheckError(
                f"The inputs ({', '.join(paths)}) cannot be pulled, so nobody can rebuild this "
                "commit:\n"
                f"{said}\n"
                "In a clone that has them: `bucket push`."
            )

    def why_no_store(self, clone: Project) -> str:
        """Why the store cannot say what it has; empty if it can."""
        if isinstance(self.settings, BucketError):
            return str(self.settings)
        try:
            Remote.of(clone, self.settings, None).check()
        except (TransferError, StrangerError) as error:
            return str(error)
        except BucketError:  # it is no store: a folder
            pass
        return ""

    def run(
        self,
        clone: Project,
        stages: Sequence[Stage],
        variation: Variation,
        *,
        is_traced: bool = False,
    ) -> CloneRun:
        """Run stages, each from scratch, as far as they come.

        Args:
            clone: where they run.
            stages: in order.
            variation: what is changed in this run.
            is_traced: look at the files and connections of the stages.

        Raises:
            CheckError: an output is outside the clone.
            NotCheckedError: DVC cannot run here at all.
        """
        clear(clone, stages)
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=self.folder))
        env = environment.variables(
            self.project, clone, self.packages, self.settings, folder, variation.changes
        )
        tracer = trace.choose(env) if is_traced else None
        more = environment.of_commands(variation.inside, env)
        words = ["env", *(f"{name}={value}" for name, value in more.items())] if more else []
        executions = self.stopped.take(variation, clone, stages)
        tasks = [_task(stage, stages, folder, tracer, words, executions) for stage in stages]
        self._write_task(folder, variation, stages, tasks, is_watched=is_traced)
        try:
            self._execute(clone, folder, env, variation.title, executions)
        except (KeyboardInterrupt, SystemExit):
            self.keep(variation, clone, stages, executions)
            raise
        runs = {stage.name: executions[stage.name] for stage in stages}  # in their order
        done = [stage for stage in stages if runs[stage.name].state == "done"]
        recorded = {stage.name: runs[stage.name].recorded(stage) for stage in done}
        return CloneRun(variation, clone, folder, runs, recorded, tracer.title if tracer else "")

    def _write_task(
        self,
        folder: Path,
        variation: Variation,
        stages: Sequence[Stage],
        tasks: Sequence[Mapping[str, Any]],
        *,
        is_watched: bool,
    ) -> None:
        """Write the arguments of the runner."""
        jobs, here = 1 if variation.one_cpu else self.jobs, needs.available()
        arguments = {
            "stages": tasks,
            "one_cpu": variation.one_cpu,
            "is_watched": is_watched,
            "reads_lock": any(map(_needs_record, stages)),
            "room": {"jobs": jobs, "cpus": here.cpus, "memory": here.memory},
        }
        (folder / TASK).write_text(json.dumps(arguments), encoding="utf-8")

    def keep(
        self,
        variation: Variation,
        clone: Project,
        stages: Sequence[Stage],
        executions: Mapping[str, Execution],
    ) -> None:
        """Keep the stages that succeeded for the next check, and say so."""
        if number := self.stopped.keep(variation, clone, stages, executions):
            kept = f"{counted(number, 'stage')} of the {variation.title} kept"
            print(f"bucket: {kept}; the same command continues there.", file=sys.stderr)

    def _execute(
        self,
        clone: Project,
        folder: Path,
        env: Mapping[str, str],
        title: str,
        executions: dict[str, Execution],
    ) -> None:
        """Have the runner do its task; what it prints of each stage goes into `executions`."""

        def hear(line: str) -> None:
            answer = json.loads(line)
            name = answer["stage"]
            if answer["state"] == "running":
                executions.pop(name, None)
                self.say(f"{title}: {name}")
            elif answer["state"] != "taken":
                seen = trace.read(_stage_folder(folder, name))
                executions[name] = Execution(**answer, trace=seen)

        log = folder / "dvc.log"
        command = [self.packages.python, Path(stage_runner.__file__).parent, folder / TASK]
        # DVC is compiled once; the runner forbids it to the stages.
        env = {name: value for name, value in env.items() if name != environment.NO_BYTECODE}
        if processes.run(command, cwd=clone.root, env=env, log=log, on_line=hear) != 0:
            raise NotCheckedError(
                f"DVC cannot run in {self.packages.title}:\n{processes.tail(log)}"
            )


def _task(
    stage: Stage,
    stages: Sequence[Stage],
    folder: Path,
    tracer: Tracer | None,
    words: list[str],
    executions: Mapping[str, Execution],
) -> dict[str, Any]:
    """What the runner has to know of a stage; `words` come before its commands."""
    stage_folder, names = _stage_folder(folder, stage.name), {stage.name for stage in stages}
    stage_folder.mkdir(parents=True)
    words = [*(tracer.prefix(stage_folder) if tracer else ()), *words]
    needed = needs.read(stage.name, stage.meta)
    return {
        "name": stage.name,
        "made": executions[stage.name].made if stage.name in executions else None,
        "needs": [name for name in stage.upstream if name in names],
        "deps": [*(dep.path for dep in stage.deps), *stage.params],
        "outs": [out.path for out in stage.outs],
        "prefix": [*TO_LOG, str(stage_folder / LOG), *words],
        "cpus": needed.cpus,
        "memory": needed.memory,
    }


def _needs_record(stage: Stage) -> bool:
    """Whether DVC needs the records of a stage to run it: of old hashes, or of data sets."""
    return any(one.is_legacy or "://" in one.path for one in (*stage.deps, *stage.outs))


def _stage_folder(folder: Path, stage: str) -> Path:
    """With log and traces of a stage."""
    return folder / "stages" / stage.replace("/", "_")
