"""Rebuild a commit from its inputs and compare the outputs: `check`.

1. `check` clones the commit and refuses paths outside the clone (`clone`), reads its stages
   (`plan`) and installs its packages (`environment`).
2. `_first` pulls the inputs and runs every stage with a tracer (`runs`, `trace`); it compares the
   outputs with `dvc.lock` (`compare`), and the behaviour of the stages with `dvc.yaml` (`lineage`).
3. `_further` runs the stages in a new clone with changed conditions (`variations`), and compares
   the outputs with those of the first run.
4. Stages whose outputs differ are run again to find out why (`causes`).
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dvc_bucket.base import project_settings
from dvc_bucket.base.errors import CheckError, NotCheckedError
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.snapshot import Stage
from dvc_bucket.git.contents import Repository, commit_of
from dvc_bucket.jobs.check import (
    announcements,
    doubts,
    environment,
    lineage,
    loaded,
    notes,
    plan,
    processes,
    variations,
)
from dvc_bucket.jobs.check.causes import Cause, CauseSearch
from dvc_bucket.jobs.check.clone import Clones, check_stages
from dvc_bucket.jobs.check.compare import OutputComparison, RecordedOutputs
from dvc_bucket.jobs.check.differences import Tolerance
from dvc_bucket.jobs.check.experiments import Lab
from dvc_bucket.jobs.check.findings import CheckReport, LineageFault, OutputResult
from dvc_bucket.jobs.check.plan import StagePlan
from dvc_bucket.jobs.check.runs import Bench, CloneRun
from dvc_bucket.jobs.check.since import touched
from dvc_bucket.jobs.check.stopped import Stopped
from dvc_bucket.jobs.check.variations import FIRST, USUAL, Variation


@dataclass(frozen=True)
class CheckOptions:
    """What is checked, and how.

    Attributes:
        rev: branch, tag or commit.
        stages: names of those to run; none means all.
        times: how many fresh runs are compared.
        tolerance: file with limits for numbers; None for none.
        kernels: run once more with each of the other kernels.
        here: use the installed packages.
        causes: run stages whose outputs differ again to find the cause.
        keep: keep the folder with the clones.
        vary: names of the conditions that further runs vary.
        since: run only stages that differ from those of this branch, tag or commit; None for all.
        jobs: how many stages run at once at most; None for the project's setting.
    """

    rev: str = "HEAD"
    stages: Sequence[str] = ()
    times: int = 1
    tolerance: Path | None = None
    kernels: bool = False
    here: bool = False
    causes: bool = True
    keep: bool = False
    vary: Sequence[str] = USUAL
    since: str | None = None
    jobs: int | None = None

    @property
    def variations(self) -> list[Variation]:
        """What is changed in each further run."""
        again = [
            variations.further(self.vary, turn // 2) if turn % 2 == 0 else FIRST
            for turn in range(self.times - 1)
        ]
        return [*again, *(variations.other_kernels() if self.kernels else ())]


def check(
    project: Project,
    options: CheckOptions,
    say: Callable[[str], None] = lambda _: None,
    announce: Callable[[str], None] = lambda _: None,
) -> CheckReport:
    """Rebuild a commit from its inputs, in clones of its own, and compare every output.

    Neither the person's clone nor the remote is written to.

    Args:
        project: the person's clone.
        options: what is checked, and how.
        say: hears what is being done.
        announce: hears what a further run changes, and how long it will take, before it starts.

    Raises:
        RevisionError: there is no such revision.
        StageNameError: there is no such stage.
        CheckError: the commit cannot be rebuilt: no packages, no inputs, no stages.
        NotCheckedError: this machine or clone cannot rebuild it.
        SettingsError: the connection is needed and not set up.
    """
    repository = Repository.of(project)
    tolerance = Tolerance.read(options.tolerance) if options.tolerance else Tolerance()
    with processes.temporary_folder(keep=options.keep) as folder:
        clones = Clones(project, repository, commit_of(repository, options.rev), folder)
        say("cloning")
        clone = clones.make(FIRST.folder)
        say("reading the stages" if options.here else "installing the packages")
        commit_plan = plan.read(clone)
        stages = _selected(commit_plan, clones, clone, options)
        if not stages:
            return _nothing(clones.commit, options)
        _refuse_unused(tolerance, commit_plan, options)
        check_stages(clone, repository.root, commit_plan, stages)
        bench = _bench(clones, clone, stages, options, say)
        rebuild = _Rebuild(clones, bench, options, tolerance, commit_plan, stages, announce)
        return rebuild.report(clone)


def _selected(
    commit_plan: StagePlan, clones: Clones, clone: Project, options: CheckOptions
) -> Sequence[Stage]:
    """The stages to run; none if they are those that a change touches, and it touches none."""
    stages = commit_plan.select(options.stages)
    if not stages:
        raise CheckError(f"{clones.commit[:7]} has no stages to run in its dvc.yaml.")
    if options.since is None:
        return stages
    return touched(clone, commit_of(clones.repository, options.since), clones.commit, stages)


def _bench(
    clones: Clones,
    clone: Project,
    stages: Sequence[Stage],
    options: CheckOptions,
    say: Callable[[str], None],
) -> Bench:
    """What all runs share, with the packages installed."""
    project, log = clones.project, clones.folder / "packages.log"
    packages = environment.here(project) if options.here else environment.made(clone, stages, log)
    settings = environment.connection(project)
    stopped = Stopped.of(project, clones.commit, packages.title)
    jobs = options.jobs or project_settings.of(clone).jobs
    return Bench(project, settings, packages, clones.folder, say, stopped, jobs)


def _refuse_unused(tolerance: Tolerance, commit_plan: StagePlan, options: CheckOptions) -> None:
    if unused := tolerance.unused([out.path for out in commit_plan.outs]):
        names = ", ".join(unused)
        raise CheckError(f"--tolerance {options.tolerance}: {names}: there is no such output.")


def _nothing(commit: str, options: CheckOptions) -> CheckReport:
    """The report if a change touches no stage."""
    note = f"No stage differs from those of {options.since}, so none was run."
    return CheckReport(commit, options.rev, notes=[note])


@dataclass(frozen=True)
class _RunFindings:
    """What was found in one run; `said` is what stages printed that failed."""

    run: CloneRun
    outputs: list[OutputResult]
    faults: list[LineageFault]
    said: dict[str, Sequence[str]]


def _said(run: CloneRun) -> dict[str, Sequence[str]]:
    failed = [name for name, seen in run.executions.items() if seen.state == "failed"]
    return {name: run.output(name) for name in failed}


@dataclass(frozen=True)
class _Rebuild:
    """Runs of the selected stages, each compared."""

    clones: Clones
    bench: Bench
    options: CheckOptions
    tolerance: Tolerance
    commit_plan: StagePlan
    stages: Sequence[Stage]
    announce: Callable[[str], None]

    def report(self, clone: Project) -> CheckReport:
        """Compare a first run in `clone` with `dvc.lock`, and further runs with the first."""
        first = self._first(clone)
        try:
            return self._whole(first)
        except (KeyboardInterrupt, SystemExit):
            self.bench.keep(FIRST, clone, self.stages, first.run.executions)
            raise

    def _whole(self, first: _RunFindings) -> CheckReport:
        """Make the further runs, and look for causes."""
        announced = announcements.of_runs(self.options.variations, first.run)
        further = []
        for variation, text in zip(self.options.variations, announced, strict=True):
            self.announce(text)
            further.append(self._further(variation, first.run))
        # At the end, as this makes the outputs again with which further runs are compared.
        results = [first, *further]
        causes, *ended = self._causes(first, results)
        said = {name: lines for one in reversed(results) for name, lines in one.said.items()}
        report = CheckReport(
            self.clones.commit,
            self.options.rev,
            [stage.name for stage in self.stages],
            first.run.seconds,
            self.bench.packages.title,
            first.run.tracing,
            runs=[result.run.title for result in results],
            outputs=[output for result in results for output in result.outputs],
            findings=[fault for result in results for fault in result.faults],
            causes=said | {name: cause.sentences for name, cause in causes.items()},
            found={name: cause.names for name, cause in causes.items()},
            notes=[*notes.of_check(self.clones, self.commit_plan, self.stages, first.run), *ended],
            folder=str(self.bench.folder) if self.options.keep else None,
        )
        runs = [result.run for result in results]
        return report if report.ok else report.with_doubts(self._doubts(runs))

    def _first(self, clone: Project) -> _RunFindings:
        """Run the stages in the first clone; compare outputs and lineage with the commit."""
        bench, project, plan = self.bench, self.clones.project, self.commit_plan
        faults = list(lineage.of_git(self.stages, clone))  # before the run makes them again
        run = self._run(clone, FIRST, is_traced=True)
        spool = bench.folder / "recorded"
        spool.mkdir()
        recorded = RecordedOutputs(plan, project, bench.settings, self.clones.commit, spool)
        outputs = self._compare(run, recorded)
        faults += lineage.of_run(run)
        faults += lineage.of_lock(plan, run, outputs)
        faults += lineage.of_stages(plan, run, project, bench.packages)
        faults += loaded.of_packages(plan, run, bench.packages)
        return _RunFindings(run, outputs, faults, _said(run))

    def _further(self, variation: Variation, first: CloneRun) -> _RunFindings:
        """Run the stages in a new clone and compare the outputs with those of the first run."""
        self.bench.say("cloning")
        clone = self.clones.make(variation.folder)
        if venv := self.bench.packages.venv:
            (clone.root / ".venv").symlink_to(venv)
        run = self._run(clone, variation)
        outputs = self._compare(run, first)
        faults = [fault for fault in lineage.of_run(run) if fault.stage in first.seconds]
        if not self.options.keep:
            shutil.rmtree(clone.root, ignore_errors=True)
        return _RunFindings(run, outputs, faults, _said(run))

    def _run(self, clone: Project, variation: Variation, *, is_traced: bool = False) -> CloneRun:
        self.bench.pull(clone, self.commit_plan.pulled(self.stages))
        return self.bench.run(clone, self.stages, variation, is_traced=is_traced)

    def _compare(self, run: CloneRun, expected: RecordedOutputs | CloneRun) -> list[OutputResult]:
        self.bench.say("comparing")
        return OutputComparison(run, expected, self.tolerance).results(self.stages)

    def _causes(
        self, first: _RunFindings, results: Sequence[_RunFindings]
    ) -> tuple[dict[str, Cause], *tuple[str, ...]]:
        """Why outputs differ, by name of the stage, as experiments find; and why these ended."""
        if not self.options.causes:
            return ({},)
        wrong = [result for result in results if not all(output.ok for output in result.outputs)]
        tried = {variation.title: variation for variation in variations.other_kernels()}
        kernels = [tried[result.run.title] for result in wrong if result.run.title in tried]
        undeclared: dict[str, list[str]] = {}
        for fault in first.faults:
            if fault.kind in {"undeclared file", "undeclared import"}:
                undeclared.setdefault(fault.stage, []).append(fault.path)
        lab = Lab(self.bench, self.clones, first.run)
        search = CauseSearch(lab, self.commit_plan, undeclared, kernels)
        outputs = [output for result in results for output in result.outputs]
        if names := search.stages_of(outputs):
            self.announce(announcements.of_search(names, first.run))
        try:
            return (search.causes(outputs),)
        except (CheckError, NotCheckedError, OSError) as error:
            # It is the bytes that count; why is more than was asked.
            return {}, f"The search for causes could not go on: {error}"

    def _doubts(self, runs: Sequence[CloneRun]) -> dict[str, str]:
        """Why what is wrong may be no fault of the commit, by stage; an empty name for all."""
        bench, clone = self.bench, runs[0].clone
        reads_store = {stage.name for stage in self.stages if plan.meta_of(stage).network}
        of_stages = doubts.of_runs(
            runs, reads_store, lambda: bench.why_no_store(clone), is_here=self.options.here
        )
        of_all = doubts.of_clone(clone, is_here=self.options.here)
        return of_stages | ({"": text} if (text := " ".join(of_all)) else {})
