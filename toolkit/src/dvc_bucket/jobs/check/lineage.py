"""What breaks the way from inputs to outputs, though every byte may be right.

`of_git`, `of_run` and `of_lock` compare records with the commit and the run; `of_stages` compares
what the stages did with what `dvc.yaml` declares.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dvc_bucket.base import project_settings
from dvc_bucket.base.packages import FILE
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.remote.ids import file_hash
from dvc_bucket.dvc.snapshot import PathRecord, Stage, leaves, overlap
from dvc_bucket.jobs.check.environment import RENV_LIBRARY, Packages
from dvc_bucket.jobs.check.executions import Execution
from dvc_bucket.jobs.check.findings import LineageFault, OutputResult
from dvc_bucket.jobs.check.plan import StagePlan, meta_of
from dvc_bucket.jobs.check.runs import CloneRun
from dvc_bucket.jobs.check.trace import Trace
from dvc_bucket.jobs.check.variations import FIRST

#: What leads to the store and to what DVC tracks. A stage that may use the network reads it in
#: order to stream; one that may not has no business with it.
CONNECTION = (".dvc", ".dvcignore", ".env", ".env.example", ".git", ".gitignore", "dvc.yaml")
POINTERS = ("*.dvc", "dvc.lock")

#: Where Python keeps what it made of a module.
BYTECODE = "__pycache__"

#: What holds the versions of packages: the stage shell reads the first to refuse others, renv the
#: rest to choose R's library, the counterpart of `.venv`.
VERSIONS = (FILE, "renv", "renv.lock")

#: Addresses that are named.
MAX_LISTED_PEERS = 3


def of_git(stages: Sequence[Stage], clone: Project) -> Iterator[LineageFault]:
    """Outputs in git (`cache: false`) with another content than `dvc.lock` records."""
    for stage in stages:
        for out in stage.outs:
            file = clone.root / out.path
            if out.hash and not out.is_cached and file.is_file():
                name = ids.encode(out.hash, legacy=out.is_legacy)
                if file_hash(file, name) != ids.md5(name):
                    text = f"{out.path} in git differs from the record in dvc.lock ({out.hash})."
                    yield LineageFault("contradiction", stage.name, out.path, text)


def of_run(run: CloneRun) -> Iterator[LineageFault]:
    """Stages that did not succeed."""
    for name, execution in run.executions.items():
        if execution.state == "failed":
            how = "" if run.variation == FIRST else f" {run.title}"
            yield LineageFault("failed", name, "", f"{name} failed{how}: {execution.because}.")
        elif execution.state == "not run":
            text = f"{name} was not run, because {execution.because} did not succeed."
            yield LineageFault("not run", name, "", text)


def of_lock(
    plan: StagePlan, run: CloneRun, outputs: Sequence[OutputResult]
) -> Iterator[LineageFault]:
    """Records of other code, data, parameters or commands than the commit has.

    Args:
        plan: the stages with the `dvc.lock` of the commit.
        run: its stages have what it read and wrote.
        outputs: of this run. A dependency that differs because an output does is no fault of its
            own.
    """
    wrong = [output.path for output in outputs if not output.ok]
    for name in run.seconds:
        before, after = plan.stages[name], run.stages[name]
        if not before.is_recorded:
            text = (
                f"dvc.lock has no entry for the stage {name}. Run `bucket reproduce` and "
                "commit dvc.lock."
            )
            yield LineageFault("not recorded", name, "", text)
            continue
        if before.command_changed:
            text = f"The command of {name} in dvc.yaml is not the one in dvc.lock."
            yield LineageFault("other code", name, "dvc.yaml", text)
        yield from _other_params(before, after)
        recorded = {dep.path: dep for dep in before.deps if dep.hash}
        for dep in after.deps:
            if not any(overlap(dep.path, path) for path in wrong):
                yield from _other_dep(plan, name, recorded.get(dep.path), dep)


def _other_params(before: Stage, after: Stage) -> Iterator[LineageFault]:
    name = before.name
    for file, params in after.params.items():
        recorded = before.params[file].locked if file in before.params else {}
        for key, value in params.locked.items():
            if key not in recorded:
                # Results of before stages named packages are of other code, and no less recorded.
                kind = "other code" if file == FILE else "not recorded"
                text = f"{file}: dvc.lock has no {key} for {name}, which depends on it."
                yield LineageFault(kind, name, file, text)
            elif recorded[key] != value:
                text = f"{file}: {_changed(key, recorded[key], value)} for {name}."
                yield LineageFault("other code", name, file, text)


def _changed(key: str, recorded: object, actual: object) -> str:
    """The innermost value that differs, with the keys that lead to it."""
    if isinstance(recorded, dict) and isinstance(actual, dict):
        for name in {**recorded, **actual}:
            if recorded.get(name) != actual.get(name):
                return _changed(f"{key}.{name}", recorded.get(name), actual.get(name))
    return f"{key} is {actual}, but dvc.lock has {recorded}"


def _other_dep(
    plan: StagePlan, stage: str, recorded: PathRecord | None, actual: PathRecord
) -> Iterator[LineageFault]:
    path, maker = actual.path, plan.maker(actual.path)
    if recorded is None:
        text = f"dvc.lock has no {path} for {stage}, which depends on it."
        yield LineageFault("not recorded", stage, path, text)
    elif recorded.hash != actual.hash and recorded.is_legacy == actual.is_legacy:
        text = (
            f"dvc.lock contradicts itself: {path} as {stage} read it ({recorded.hash}) differs "
            f"from what {maker} wrote ({actual.hash})."
            if maker
            else (
                f"dvc.lock was written with a different {path}: {recorded.hash} there, "
                f"{actual.hash} in the commit."
            )
        )
        yield LineageFault("contradiction" if maker else "other code", stage, path, text)


def undeclared_params(plan: StagePlan, clone: Project, stage: Stage) -> list[str]:
    """Parameters in the stage's parameter files, or in params.yaml, that no stage declares."""
    undeclared: list[str] = []
    for file in sorted({*stage.params, "params.yaml"}):
        path = clone.root / file
        declared = [
            other.params[file].keys for other in plan.stages.values() if file in other.params
        ]
        if path.suffix not in {".yaml", ".yml"} or not path.is_file() or not all(declared):
            continue
        with suppress(YAMLError):
            content = YAML(typ="safe", pure=True).load(path)
            names = [name for name, _ in leaves(content)] if isinstance(content, dict) else []
            keys = {key for keys in declared for key in keys}
            undeclared += [f"{file}: {name}" for name in names if not _is_below(name, keys, ".")]
    return undeclared


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
        if execution.state == "done":
            yield from _not_made(stage, execution)
        if execution.trace:
            yield from _undeclared(plan, stage, execution, execution.trace, run.clone)
            yield from _of_original(stage, execution.trace, run.clone, project, packages)
            yield from _connected(stage, execution.trace)


def _edited(stage: Stage, execution: Execution) -> Iterator[LineageFault]:
    before, after = execution.before["deps"], execution.after["deps"]
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) != after.get(path):
            change = "appeared" if path not in before else "was changed"
            text = (
                f"{path}, on which {stage.name} depends, "
                f"{change if path in after else 'was removed'} while it ran: dvc.lock records its "
                "content at the end, which may differ from what the stage read."
            )
            yield LineageFault("edited", stage.name, path, text)


def _not_made(stage: Stage, execution: Execution) -> Iterator[LineageFault]:
    for path, before in execution.before["outs"].items():
        after = execution.after["outs"][path]
        text = f"{path} is an output of {stage.name}, which did not write it; it existed before."
        if not after:
            text = f"{stage.name} did not write its output {path}."
        if before == after or not after:
            yield LineageFault("not made", stage.name, path, text)


def _undeclared(
    plan: StagePlan, stage: Stage, execution: Execution, trace: Trace, clone: Project
) -> Iterator[LineageFault]:
    """Files of the project, there before the stage, that it opened and does not declare."""
    declared = {record.path for record in (*stage.deps, *stage.outs)} | {*stage.params, ".venv"}
    allowed = declared.union(project_settings.of(clone).packages, VERSIONS)
    written, files = _in(clone, trace.written), set(execution.files)
    opened = {
        _shortened(path)
        for path in map(source, written | _in(clone, trace.read))
        # What a stage makes that runs at the same time may not have been there at the beginning.
        if path in files
        or path.startswith((".git/", ".dvc/"))
        or (path not in written and plan.made.overlap(path))
        if not _is_below(path, allowed, "/") and not _is_in_meta(path, stage)
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


def _is_below(name: str, allowed: set[str], separator: str) -> bool:
    """Whether a name is allowed, or inside one that is."""
    return any(name == other or name.startswith(other + separator) for other in allowed)


def _in(project: Project, paths: set[str]) -> set[str]:
    """Those of the absolute paths that are in a project, from its root."""
    root = f"{project.root.resolve()}/"
    return {path.removeprefix(root) for path in paths if path.startswith(root)}


def _is_in_meta(path: str, stage: Stage) -> bool:
    """Whether `meta` of a stage allows it to read a file."""
    meta = meta_of(stage)
    if _is_below(path, {*meta.reads}, "/") or any(fnmatchcase(path, form) for form in meta.reads):
        return True
    leads = path.split("/")[0] in CONNECTION or any(fnmatchcase(path, form) for form in POINTERS)
    return meta.network and leads


def source(path: str) -> str:
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
    venv, library = packages.python.parent.parent, root / RENV_LIBRARY
    allowed = (f"{root}/.venv/", f"{venv}/", f"{library}/", f"{root}/.git/")
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
            f"{stage.name} connects to {named}. If the data that it gets there is pinned, declare "
            "it in dvc.yaml: `meta: {network: true}`."
        )
        yield LineageFault("undeclared network", stage.name, "", text)
