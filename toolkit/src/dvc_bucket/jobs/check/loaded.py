"""The packages that stages loaded, against those that they name, and against packages.yaml."""

from collections.abc import Iterator

from dvc_bucket.base import packages
from dvc_bucket.dvc.snapshot import Stage
from dvc_bucket.jobs.check.environment import Packages
from dvc_bucket.jobs.check.findings import LineageFault
from dvc_bucket.jobs.check.lineage import source
from dvc_bucket.jobs.check.plan import StagePlan
from dvc_bucket.jobs.check.runs import CloneRun
from dvc_bucket.stages.declared.code import of_stage
from dvc_bucket.stages.declared.packages import IGNORED, Environment, Imported, named


def of_packages(plan: StagePlan, run: CloneRun, made: Packages) -> Iterator[LineageFault]:
    """Packages that a stage imports itself, loaded and does not name; and other versions.

    Nothing of a project without packages.yaml.

    Args:
        plan: the stages of the commit.
        run: that was traced.
        made: the packages that the stages ran with.
    """
    if not run.clone.packages.is_file():
        return
    environment = Environment(made.folders)
    versions = packages.read(run.clone)
    for stage in plan.stages.values():
        execution = run.executions.get(stage.name)
        if execution and execution.trace:
            loaded = environment.packages_of(map(source, execution.trace.read))
            yield from _not_named(run, stage, environment, loaded)
            yield from _other_versions(stage, environment, loaded, versions)


def _not_named(
    run: CloneRun, stage: Stage, environment: Environment, loaded: set[str]
) -> Iterator[LineageFault]:
    imported = Imported.of(of_stage(run.clone, stage)[1], environment).files
    for name in sorted((imported.keys() & loaded) - IGNORED - {*named(stage)}):
        file = imported[name].relative_to(run.clone.root)
        text = (
            f"{stage.name} loads {name}, which {file} imports and its params do not name. Write "
            f"it there, below {packages.FILE} (bucket env --declare)."
        )
        yield LineageFault("undeclared package", stage.name, packages.FILE, text)


def _other_versions(
    stage: Stage, environment: Environment, loaded: set[str], versions: dict[str, str]
) -> Iterator[LineageFault]:
    for name in sorted(loaded & {*named(stage)}):
        found, wanted = packages.version_of(environment.distributions[name]), versions.get(name, "")
        if not packages.is_same(wanted, found):
            text = (
                f"{stage.name} ran with {name} {found}, and {packages.FILE} has "
                f"{wanted or 'no version of it'}. Write the file again: {packages.WRITE}"
            )
            yield LineageFault("other package", stage.name, packages.FILE, text)
