"""Runs of the stages: each in a clone of its own, from the inputs alone."""

import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dvc_bucket.base.errors import BucketError, CheckError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection.overrides import point_dvc_at
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc import connected
from dvc_bucket.dvc.patched import driver
from dvc_bucket.dvc.snapshot import Stage
from dvc_bucket.jobs.check import confine, environment, plan, processes, trace
from dvc_bucket.jobs.check import in_clone as inside
from dvc_bucket.jobs.check.environment import Packages
from dvc_bucket.jobs.check.plan import Plan
from dvc_bucket.jobs.check.trace import Seen
from dvc_bucket.jobs.check.variations import Variation

INSIDE = Path(inside.__file__).parent


@dataclass(frozen=True)
class Command:
    """What was seen of a command of a stage.

    Attributes:
        stage: whose it is.
        started, ended: seconds since 1970.
        before, after: hash of each file of the dependencies, by path.
        outs_before, outs_after: what the files of each output looked like.
        files: paths of the work tree that were there before.
        seen: what the tracer saw; None if it saw nothing at all.
    """

    stage: str
    started: float
    ended: float
    before: Mapping[str, str]
    after: Mapping[str, str]
    outs_before: Mapping[str, Any]
    outs_after: Mapping[str, Any]
    files: frozenset[str]
    seen: Seen | None


@dataclass
class Run:
    """Stages that ran in a clone.

    Attributes:
        title: for the report.
        clone: where.
        folder: beside it: logs, and what was seen.
        env: of the stages.
        packages: that they ran with.
        variation: what this run has otherwise.
        done: seconds, by name, of the stages that succeeded.
        lost: why, by name, the others did not.
        after: the stages, and what is in the `dvc.lock` that the run wrote.
    """

    title: str
    clone: Project
    folder: Path
    env: Mapping[str, str]
    packages: Packages
    variation: Variation
    done: dict[str, float] = field(default_factory=dict)
    lost: dict[str, tuple[str, str]] = field(default_factory=dict)
    after: Plan = field(default_factory=lambda: Plan({}, ()))

    def log(self, stage: str) -> Path:
        """What the commands of a stage printed."""
        return self.folder / "logs" / f"{stage.replace('/', '_')}.log"

    def commands(self) -> list[Command]:
        """What was seen of the commands, in order."""
        found = []
        for file in self.folder.glob("command-*/seen.json"):
            told = json.loads(file.read_text(encoding="utf-8"))
            seen = trace.read(file.parent) if trace.has_trace(file.parent) else None
            names = ("stage", "started", "ended", "before", "after", "outs_before", "outs_after")
            parts = {name: told[name] for name in names}
            found.append(Command(**parts, files=frozenset(told["files"]), seen=seen))
        return sorted(found, key=lambda one: one.started)


def pull(
    run: Run, stages: Sequence[Stage], known: Plan, settings: Settings | BucketError
) -> list[str]:
    """Bring what the stages read and none of them makes, and DVC tracks, from the remote.

    Returns:
        The paths that were brought.

    Raises:
        CheckError: the remote does not have it.
        BucketError: the connection is not set up, and something is to be brought.
    """
    wanted = plan.pulled(known, stages)
    if not wanted:
        return []
    if isinstance(settings, BucketError):
        raise settings
    point_dvc_at(run.clone, settings)
    log = run.folder / "pull.log"
    env = connected.environment(run.clone, settings)
    command = [sys.executable, "-m", "dvc_bucket.dvc.process", "pull", "--", *wanted]
    if processes.run(command, cwd=run.clone.root, env=env, log=log) != 0:
        raise CheckError(
            f"The inputs ({', '.join(wanted)}) cannot be pulled, so nobody can rebuild this "
            f"commit:\n{processes.tail(log, 5)}\nIn a clone that has them: `bucket push`."
        )
    return wanted


def execute(
    run: Run,
    stages: Sequence[Stage],
    on_stage: Callable[[str], None],
    *,
    tracer: str = "",
) -> None:
    """Run the stages, each from scratch, as far as they come.

    Args:
        run: where; it is told what came of it.
        stages: in order.
        on_stage: hears the name of each that begins.
        tracer: `strace` or `audit`; empty to trace nothing.

    Raises:
        CheckError: DVC cannot run here at all.
    """
    shell = _shell(run, stages, tracer)
    names = {stage.name for stage in stages}
    needs = {stage.name: [one for one in stage.upstream if one in names] for stage in stages}
    task = run.folder / "task.json"
    task.write_text(json.dumps({"stages": needs, "one_cpu": run.variation.one_cpu}))
    heard = []

    def hear(line: str) -> None:
        told = json.loads(line)
        heard.append(told)
        if told["state"] == "running":
            on_stage(told["stage"])
        elif told["state"] == "done":
            run.done[told["stage"]] = told["seconds"]
        else:
            run.lost[told["stage"]] = (told["state"], told["because"])

    log = run.folder / "dvc.log"
    command = [run.packages.python, "-P", Path(driver.__file__), task]
    env = {**run.env, "SHELL": str(shell)}
    status = processes.run(command, cwd=run.clone.root, env=env, log=log, on_line=hear)
    if status != 0 or not heard:
        raise CheckError(f"DVC cannot run in {run.packages.title}:\n{processes.tail(log)}")
    run.after = plan.read(run.clone)


def clear(run: Run, stages: Sequence[Stage]) -> None:
    """Remove the outputs of stages from the clone, as far as git or an earlier run brought them.

    Raises:
        CheckError: an output is outside the clone.
    """
    for stage in stages:
        for path in [confine.target(run.clone, out.path, stage.name) for out in stage.outs]:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def _shell(run: Run, stages: Sequence[Stage], tracer: str) -> Path:
    """What DVC takes for the person's shell: a script that has the observer run the command."""
    logs = run.folder / "logs"
    logs.mkdir(exist_ok=True)
    declared = {
        stage.name: {
            "deps": [*(dep.path for dep in stage.deps), *stage.params],
            "outs": [out.path for out in stage.outs],
        }
        for stage in stages
    }
    config = {
        "root": str(run.clone.root),
        "folder": str(run.folder),
        "logs": str(logs),
        "shell": run.env.get("SHELL") or "/bin/sh",
        "own_shell": run.env.get("SHELL", ""),
        "trace": tracer,
        "strace": [*trace.STRACE],
        "audit": str(INSIDE / "audit"),
        "stages": declared,
    }
    file = run.folder / "observe.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    words = [sys.executable, "-I", "-S", str(INSIDE / "observer.py"), str(file)]
    # Its name must be none that DVC has options for.
    script = run.folder / "observe"
    script.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
    os.chmod(script, 0o700)  # noqa: PTH101
    return script


def start(
    folder: Path,
    clone: Project,
    packages: Packages,
    variation: Variation,
    project: Project,
    settings: Settings | BucketError,
) -> Run:
    """A run that is about to begin in a clone."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    known = settings if isinstance(settings, Settings) else None
    env = environment.variables(project, clone, packages, known, home, variation.changes)
    return Run(variation.title, clone, folder, env, packages, variation)
