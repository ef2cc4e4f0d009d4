"""What stages did that `dvc.yaml` does not declare."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from dvc_bucket.base import project_settings
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.snapshot import Stage
from dvc_bucket.jobs.check.environment import Packages
from dvc_bucket.jobs.check.findings import LineageFault
from dvc_bucket.jobs.check.plan import StagePlan, meta_of
from dvc_bucket.jobs.check.runs import CloneRun, Execution
from dvc_bucket.jobs.check.trace import Trace

#: What leads to the store and to what DVC tracks. A stage that may use the network reads it in
#: order to stream; one that may not has no business with it.
CONNECTION = (".dvc", ".dvcignore", ".env", ".env.example", ".git", ".gitignore", "dvc.yaml")
POINTERS = ("*.dvc", "dvc.lock")

#: Where Python keeps what it made of a module.
BYTECODE = "__pycache__"

#: Addresses that are named.
MAX_LISTED_PEERS = 3


def of_stages(
    plan: StagePlan, run: CloneRun, project: Project, packages: Packages
) -> Iterator[LineageFault]:
    """Faults of the stages that ran.

    Args:
        plan: the stages of the commit.
        run: that was traced.
        project: in which the check was started.
        packages: that the stages ran with.
    """
    for stage in plan.stages.values():
        execution = run.executions.get(stage.name)
        if not execution or not execution.before:
            continue
        yield from _edited(stage, execution)
        yield from _not_made(stage, execution)
        if execution.trace:
            yield from _undeclared(plan, stage, execution, execution.trace, run.clone)
            yield from _of_original(stage, execution.trace, run.clone, project, packages)
            yield from _connected(stage, execution.trace)


def _edited(stage: Stage, execution: Execution) -> Iterator[LineageFault]:
    before, after = execution.before["deps"], execution.after["deps"]
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) != after.get(path):
            change = "was changed"
            if path not in after:
                change = "was removed"
            elif path not in before:
                change = "appeared"
            text = (
                f"{path}, on which {stage.name} depends, {change} while it ran: dvc.lock records "
                "what it was at the end, which may not be what the stage read."
            )
            yield LineageFault("edited", stage.name, path, text)


def _not_made(stage: Stage, execution: Execution) -> Iterator[LineageFault]:
    for path, before in execution.before["outs"].items():
        after = execution.after["outs"][path]
        text = f"{path} is an output of {stage.name}, which did not write it: it was there before."
        if not after:
            text = f"{path}, an output of {stage.name}, was not made by it."
        if before == after or not after:
            yield LineageFault("not made", stage.name, path, text)


def _undeclared(
    plan: StagePlan, stage: Stage, execution: Execution, trace: Trace, clone: Project
) -> Iterator[LineageFault]:
    """Files of the project, there before the stage, that it opened and does not declare."""
    allowed = [dep.path for dep in stage.deps]
    allowed += [out.path for out in stage.outs]
    allowed += [*stage.params, ".venv", *project_settings.of(clone).packages]
    written = _in(clone, trace.written)
    files = set(execution.files)
    opened = {
        _shortened(path)
        for path in map(_source, written | _in(clone, trace.read))
        if path in files or path.startswith((".git/", ".dvc/"))
        if not any(path == one or path.startswith(f"{one}/") for one in allowed)
        if not _is_in_meta(path, stage)
    }
    for path in sorted(opened):
        kind = "undeclared file"
        if path.endswith(".py"):
            kind = "undeclared import"
            text = f"{stage.name} imports or runs {path}, which is not among its deps."
        elif path.startswith(".git/"):
            text = f"{stage.name} reads the state of the git repository ({path})."
        else:
            maker = plan.maker(path)
            whose = f", an output of {maker}," if maker else ""
            verb = "writes to" if path in written else "reads"
            text = f"{stage.name} {verb} {path}{whose} and does not declare it."
        yield LineageFault(kind, stage.name, path, text)


def _in(project: Project, paths: set[str]) -> set[str]:
    """Those of the absolute paths that are in a project, from its root."""
    root = f"{project.root.resolve()}/"
    return {path.removeprefix(root) for path in paths if path.startswith(root)}


def _is_in_meta(path: str, stage: Stage) -> bool:
    """Whether `meta` of a stage allows it to read a file."""
    meta = meta_of(stage)
    if any(fnmatchcase(path, one) or path.startswith(f"{one}/") for one in meta.reads):
        return True
    leads = path.split("/")[0] in CONNECTION or any(fnmatchcase(path, one) for one in POINTERS)
    return meta.network and leads


def _source(path: str) -> str:
    """The module that a file of bytecode was made of; any other path as it is."""
    parts = PurePosixPath(path)
    if parts.parent.name != BYTECODE or parts.suffix != ".pyc":
        return path
    return (parts.parent.parent / f"{parts.name.split('.')[0]}.py").as_posix()


def _shortened(path: str) -> str:
    """One name for all of git's own files, and one for DVC's temporary ones."""
    if path.startswith(".git/"):
        return ".git/"
    return ".dvc/" if path.startswith(".dvc/") and "tmp" in path else path


def _of_original(
    stage: Stage, trace: Trace, clone: Project, project: Project, packages: Packages
) -> Iterator[LineageFault]:
    """Files of the project itself, for which the clone stands, that a stage opened."""
    root = project.root.resolve()
    if clone.root.is_relative_to(root):
        return
    allowed = (f"{root}/.venv/", f"{packages.python.parent.parent}/", f"{root}/.git/")
    for path in sorted(trace.read | trace.written):
        if path.startswith(f"{root}/") and not path.startswith(allowed):
            text = f"{stage.name} reads {path}, a file of the clone that the check was started in."
            yield LineageFault("undeclared file", stage.name, path, text)


def _connected(stage: Stage, trace: Trace) -> Iterator[LineageFault]:
    peers = [f"{host} port {port}" for host, port in trace.strangers()]
    if peers and not meta_of(stage).network:
        more = len(peers) - MAX_LISTED_PEERS
        named = ", ".join(peers[:MAX_LISTED_PEERS]) + (f" and {more} more" if more > 0 else "")
        text = (
            f"{stage.name} connects to {named}. If what it gets there is pinned, say so in "
            "dvc.yaml: `meta: {network: true}`."
        )
        yield LineageFault("undeclared network", stage.name, "", text)
