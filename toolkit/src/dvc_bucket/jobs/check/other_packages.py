"""Packages as causes: loaded in other versions than those that made what `dvc.lock` records."""

from contextlib import suppress
from pathlib import PurePosixPath

from dvc_bucket.base import lock_file, packages, project_settings
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.foreign_packages import is_python
from dvc_bucket.dvc.snapshot import Stage
from dvc_bucket.git.contents import git
from dvc_bucket.jobs.check.environment import Packages
from dvc_bucket.jobs.check.lineage import source
from dvc_bucket.jobs.check.runs import CloneRun
from dvc_bucket.stages.declared.packages import Environment


def of_stage(stage: Stage, run: CloneRun, made: Packages) -> dict[str, str]:
    """Packages that a stage loaded in another version than its recorded run had, with both.

    Args:
        stage: with the records of the commit.
        run: that was traced.
        made: the packages that it ran with.
    """
    trace = run.executions[stage.name].trace
    if not trace:
        return {}
    environment, named = Environment(made.folders), _in_params(stage)
    recorded = _in_lock_file(stage, run) | named
    loaded = environment.packages_of(map(source, trace.read)) & recorded.keys()
    others = [name for name in named if not is_python(name)]
    versions = packages.installed(others, run.clone) | {
        name: packages.version_of(environment.distributions[name]) for name in loaded
    }
    differing = {}
    for name, version in sorted(versions.items()):
        wanted, where = recorded[name]
        if not packages.is_same(wanted, version):
            differing[name] = f"{name} {version} ({wanted} in {where})"
    return differing


def _in_params(stage: Stage) -> dict[str, tuple[str, str]]:
    """Versions that `dvc.lock` records for the stage, and where: it names the packages."""
    params = stage.params.get(packages.FILE)
    where = f"{packages.FILE} as dvc.lock records it"
    return {name: (str(one), where) for name, one in (params.locked if params else {}).items()}


def _in_lock_file(stage: Stage, run: CloneRun) -> dict[str, tuple[str, str]]:
    """Versions in the lock file of the commit that recorded the outputs, and where."""
    root, name = run.clone.root, project_settings.of(run.clone).lock_file
    dvc_lock = str(PurePosixPath(stage.file).parent / "dvc.lock")
    for recorded in (out.hash for out in stage.outs if out.hash):
        with suppress(ProjectError):  # the file was not there, or this is a shallow clone
            said = git(root, "log", "-1", "--format=%H", f"-S{recorded}", "--", dvc_lock).decode()
            for commit in said.split():
                text = git(root, "show", f"{commit}:./{name}").decode("utf-8", "replace")
                where = f"{name} of {commit[:7]}"
                versions = lock_file.versions(text).items()
                return {name: (packages.OR.join(known), where) for name, known in versions}
    return {}
