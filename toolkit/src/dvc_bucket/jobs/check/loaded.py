"""The packages that stages loaded, against those that they name, and against packages.yaml."""

import re
from collections.abc import Iterator

from dvc_bucket.base import packages
from dvc_bucket.base.foreign_packages import TOOL, is_python, of_r
from dvc_bucket.dvc.snapshot import Stage
from dvc_bucket.jobs.check.environment import Packages
from dvc_bucket.jobs.check.findings import LineageFault
from dvc_bucket.jobs.check.lineage import source
from dvc_bucket.jobs.check.plan import StagePlan
from dvc_bucket.jobs.check.runs import CloneRun
from dvc_bucket.stages.declared.packages import IGNORED, Environment, Imported, named

#: A file that R opens to load a package: its code, in the library's folder of the package.
IN_R = re.compile(r"/([A-Za-z][A-Za-z0-9.]*)/R/\1\.rd[bx]$")


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
            loaded |= {of_r(one[1]) for one in map(IN_R.search, execution.trace.read) if one}
            yield from _not_named(run, stage, environment, loaded)
            yield from _other_versions(run, stage, environment, loaded, versions)


def _not_named(
    run: CloneRun, stage: Stage, environment: Environment, loaded: set[str]
) -> Iterator[LineageFault]:
    imported = Imported.of_stage(run.clone, stage, environment).files
    for name in sorted((imported.keys() & loaded) - IGNORED - {*named(stage)}):
        file = imported[name].relative_to(run.clone.root)
        text = (
            f"{stage.name} loads {name}, which {file} imports but its params do not name. Add it "
            f"to them, below {packages.FILE} (bucket env --declare)."
        )
        yield LineageFault("undeclared package", stage.name, packages.FILE, text)


def _other_versions(
    run: CloneRun,
    stage: Stage,
    environment: Environment,
    loaded: set[str],
    versions: dict[str, str],
) -> Iterator[LineageFault]:
    others = [name for name in named(stage) if not is_python(name)]
    ran = packages.installed(others, run.clone) | {
        name: packages.version_of(environment.distributions[name])
        for name in loaded & {*named(stage)} - {*others}
    }
    for name, found in sorted(ran.items()):
        wanted = versions.get(name, "")
        if not packages.is_same(wanted, found):
            again = packages.RECORD if name.startswith(TOOL) else packages.WRITE
            text = (
                f"{stage.name} ran with {name} {found}, but {packages.FILE} has "
                f"{wanted or 'no version of it'}. Write the file again: {again}"
            )
            yield LineageFault("other package", stage.name, packages.FILE, text)
