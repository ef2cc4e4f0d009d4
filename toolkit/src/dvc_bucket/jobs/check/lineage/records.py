"""What `dvc.lock` records, where it does not fit the commit that it is in."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.remote.ids import file_hash
from dvc_bucket.dvc.snapshot import PathRecord, Stage, leaves, overlap
from dvc_bucket.jobs.check.findings import LineageFault, OutputResult
from dvc_bucket.jobs.check.plan import StagePlan
from dvc_bucket.jobs.check.runs import CloneRun


def of_lock(
    plan: StagePlan, run: CloneRun, outputs: Sequence[OutputResult]
) -> Iterator[LineageFault]:
    """Records of other code, data, parameters or commands than the commit has.

    Args:
        plan: the stages with the `dvc.lock` of the commit.
        run: its plan has the `dvc.lock` that it wrote.
        outputs: of this run. A dependency that differs because an output does is no fault of its
            own.
    """
    wrong = [output.path for output in outputs if not output.ok]
    for name in run.seconds:
        before, after = plan.stages[name], run.plan.stages[name]
        if not before.is_recorded:
            text = f"dvc.lock does not know the stage {name}: `bucket reproduce`, then commit it."
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
                text = f"{file}: dvc.lock has no {key} for {name}, which depends on it."
                yield LineageFault("not recorded", name, file, text)
            elif recorded[key] != value:
                text = f"{file}: {_changed(key, recorded[key], value)} for {name}."
                yield LineageFault("other code", name, file, text)


def _changed(key: str, recorded: object, found: object) -> str:
    """The innermost value that differs, with the keys that lead to it."""
    if isinstance(recorded, dict) and isinstance(found, dict):
        for name in {**recorded, **found}:
            if recorded.get(name) != found.get(name):
                return _changed(f"{key}.{name}", recorded.get(name), found.get(name))
    return f"{key} is {found}, and dvc.lock has {recorded}"


def _other_dep(
    plan: StagePlan, stage: str, recorded: PathRecord | None, found: PathRecord
) -> Iterator[LineageFault]:
    if recorded is None:
        text = f"dvc.lock has no {found.path} for {stage}, which depends on it."
        yield LineageFault("not recorded", stage, found.path, text)
    elif recorded.hash != found.hash and recorded.is_legacy == found.is_legacy:
        kind = "other code"
        text = (
            f"dvc.lock was made with another {found.path}: {recorded.hash} there, {found.hash} in "
            "the commit."
        )
        if maker := plan.maker(found.path):
            kind = "contradiction"
            text = (
                f"dvc.lock contradicts itself: {found.path} as {stage} read it ({recorded.hash}) "
                f"is not what {maker} made ({found.hash})."
            )
        yield LineageFault(kind, stage, found.path, text)


def of_git(stages: Sequence[Stage], clone: Project) -> Iterator[LineageFault]:
    """Outputs in git (`cache: false`) with another content than `dvc.lock` records."""
    for stage in stages:
        for out in stage.outs:
            file = clone.root / out.path
            if out.hash and not out.is_cached and file.is_file():
                name = ids.encode(out.hash, legacy=out.is_legacy)
                if file_hash(file, name) != ids.md5(name):
                    text = f"{out.path} in git is not what dvc.lock records ({out.hash})."
                    yield LineageFault("contradiction", stage.name, out.path, text)


def of_run(run: CloneRun) -> Iterator[LineageFault]:
    """Stages that did not succeed."""
    for name, execution in run.executions.items():
        because = execution.because
        if execution.state == "failed":
            yield LineageFault("failed", name, "", f"{name} failed: {because}.")
        elif execution.state == "not run":
            text = f"{name} was not run, as {because} did not succeed."
            yield LineageFault("not run", name, "", text)


def undeclared_params(plan: StagePlan, clone: Project, stage: Stage) -> list[str]:
    """Parameters in the stage's parameter files, or in params.yaml, that no stage declares."""
    undeclared: list[str] = []
    for file in sorted({*stage.params, "params.yaml"}):
        path = clone.root / file
        declared = [one.params[file].keys for one in plan.stages.values() if file in one.params]
        if path.suffix not in {".yaml", ".yml"} or not path.is_file() or not all(declared):
            continue
        with suppress(YAMLError):
            content = YAML(typ="safe", pure=True).load(path)
            names = [name for name, _ in leaves(content)] if isinstance(content, dict) else []
            keys = [key for keys in declared for key in keys]
            undeclared += [
                f"{file}: {name}"
                for name in names
                if not any(name == key or name.startswith(f"{key}.") for key in keys)
            ]
    return undeclared
