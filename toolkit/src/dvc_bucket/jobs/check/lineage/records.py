"""Where `dvc.lock` tells another story than the commit that it is in."""

from collections.abc import Iterator, Sequence

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.snapshot import PathRecord, Stage, overlap
from dvc_bucket.jobs.check.compare import is_content
from dvc_bucket.jobs.check.findings import Finding, Result
from dvc_bucket.jobs.check.plan import Plan
from dvc_bucket.jobs.check.rebuild import Run


def of_lock(before: Plan, run: Run, results: Sequence[Result]) -> Iterator[Finding]:
    """Where `dvc.lock` tells of other code, parameters or commands than the commit has.

    Args:
        before: as committed.
        run: its `dvc.lock` tells what is so.
        results: of the outputs of this run; what follows from one that differs is told there.
    """
    wrong = [result.path for result in results if not result.ok]
    for name in run.done:
        old, new = before.stages[name], run.after.stages[name]
        if not old.is_recorded:
            text = f"dvc.lock does not know the stage {name}: `bucket reproduce`, then commit it."
            yield Finding("not recorded", name, "", text)
            continue
        if old.command_changed:
            text = f"The command of {name} in dvc.yaml is not the one in dvc.lock."
            yield Finding("other code", name, "dvc.yaml", text)
        yield from _other_params(old, new)
        recorded = {dep.path: dep for dep in old.deps}
        for dep in new.deps:
            if not any(overlap(dep.path, path) for path in wrong):
                yield from _other_dep(before, old, recorded.get(dep.path), dep)


def _other_params(old: Stage, new: Stage) -> Iterator[Finding]:
    for file, params in new.params.items():
        known = old.params[file].locked if file in old.params else {}
        for key, value in params.locked.items():
            if key not in known:
                text = f"{file}: dvc.lock has no {key} for {old.name}, which depends on it."
                yield Finding("not recorded", old.name, file, text)
            elif known[key] != value:
                text = f"{file}: {_changed(key, known[key], value)} for {old.name}."
                yield Finding("other code", old.name, file, text)


def _changed(key: str, recorded: object, found: object) -> str:
    """The innermost value that differs, with the keys that lead to it."""
    if isinstance(recorded, dict) and isinstance(found, dict):
        for name in [*recorded, *(one for one in found if one not in recorded)]:
            if recorded.get(name) != found.get(name):
                return _changed(f"{key}.{name}", recorded.get(name), found.get(name))
    return f"{key} is {found}, and dvc.lock has {recorded}"


def _other_dep(
    before: Plan, stage: Stage, recorded: PathRecord | None, found: PathRecord
) -> Iterator[Finding]:
    if recorded is None or not recorded.hash:
        text = f"dvc.lock has no {found.path} for {stage.name}, which depends on it."
        yield Finding("not recorded", stage.name, found.path, text)
    elif recorded.hash != found.hash and recorded.is_legacy == found.is_legacy:
        maker = before.maker(found.path)
        if maker is None:
            text = (
                f"dvc.lock was made with another {found.path}: {recorded.hash} there, "
                f"{found.hash} in the commit."
            )
            yield Finding("other code", stage.name, found.path, text)
        else:
            text = (
                f"dvc.lock contradicts itself: {found.path} as {stage.name} read it "
                f"({recorded.hash}) is not what {maker} made ({found.hash})."
            )
            yield Finding("contradiction", stage.name, found.path, text)


def of_git(stages: Sequence[Stage], clone: Project) -> Iterator[Finding]:
    """Outputs that git keeps (`cache: false`), where it has another content than `dvc.lock`."""
    for stage in stages:
        for out in stage.outs:
            file = clone.root / out.path
            if not out.hash or out.is_cached or not file.is_file():
                continue
            if not is_content(file, ids.encode(out.hash, legacy=out.is_legacy)):
                text = f"{out.path} in git is not what dvc.lock records ({out.hash})."
                yield Finding("contradiction", stage.name, out.path, text)


def of_runs(run: Run) -> Iterator[Finding]:
    """Stages that did not come to their end."""
    for name, (state, because) in run.lost.items():
        if state == "failed":
            yield Finding("failed", name, "", f"{name} failed: {because}.")
        else:
            yield Finding("not run", name, "", f"{name} was not run, as {because} did not succeed.")


def undeclared_params(known: Plan, clone: Project, stage: Stage) -> list[str]:
    """Keys of the stage's parameter files, or of params.yaml, that no stage declares."""
    found = []
    for file in sorted({*stage.params, "params.yaml"}):
        declared = [one.params[file] for one in known.stages.values() if file in one.params]
        keys = [key for one in declared for key in one.keys]
        whole = any(not one.keys for one in declared)
        path = clone.root / file
        if whole or path.suffix not in {".yaml", ".yml"} or not path.is_file():
            continue
        try:
            content = YAML(typ="safe", pure=True).load(path)
        except YAMLError:
            continue
        found += [f"{file}: {key}" for key in _unnamed(content, "", keys)]
    return found


def _unnamed(content: object, prefix: str, declared: Sequence[str]) -> Iterator[str]:
    if not isinstance(content, dict):
        return
    for key, value in content.items():
        name = f"{prefix}{key}"
        if name in declared:
            continue
        if any(one.startswith(f"{name}.") for one in declared):
            yield from _unnamed(value, f"{name}.", declared)
        else:
            yield name
