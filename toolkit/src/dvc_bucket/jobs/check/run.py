"""`bucket check` from the question to the report."""

import secrets
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from dvc_bucket.base.errors import BucketError, CheckError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc.snapshot import Stage
from dvc_bucket.git.contents import Repository, commit_of, git
from dvc_bucket.jobs.check import (
    clone,
    confine,
    environment,
    plan,
    processes,
    rebuild,
    trace,
    variations,
)
from dvc_bucket.jobs.check.causes import Inquiry
from dvc_bucket.jobs.check.compare import Comparison
from dvc_bucket.jobs.check.contents import Tolerance
from dvc_bucket.jobs.check.environment import Packages
from dvc_bucket.jobs.check.findings import Report, Result
from dvc_bucket.jobs.check.lineage import behaviour, records
from dvc_bucket.jobs.check.plan import Plan
from dvc_bucket.jobs.check.rebuild import Run
from dvc_bucket.jobs.check.sides import Outputs, RecordedOutputs, RunOutputs, entries
from dvc_bucket.jobs.check.variations import FIRST, OTHERWISE, Variation


@dataclass(frozen=True)
class Question:
    """What is to be checked, and how.

    Attributes:
        rev: branch, tag or commit.
        stages: names of those to run; none means all.
        times: how many fresh runs are compared.
        tolerance: file with what may differ in numbers; None for nothing.
        kernels: run once more under each of other kernels.
        here: use the current packages.
        causes: run a stage again to find out why its outputs differ.
        keep: leave the folder.
    """

    rev: str = "HEAD"
    stages: Sequence[str] = ()
    times: int = 1
    tolerance: Path | None = None
    kernels: bool = False
    here: bool = False
    causes: bool = True
    keep: bool = False

    @property
    def variations(self) -> list[Variation]:
        """What each further run has otherwise."""
        again = [(OTHERWISE, FIRST)[turn % 2] for turn in range(self.times - 1)]
        return [*again, *(variations.other_kernels() if self.kernels else ())]


def check(
    project: Project, question: Question, say: Callable[[str], None] = lambda _: None
) -> Report:
    """Rebuild a commit from its inputs, in clones of its own, and compare every output.

    Neither the person's clone nor the remote is written to.

    Args:
        project: the person's clone.
        question: what is asked.
        say: hears what is being done.

    Raises:
        RevisionError: there is no such revision.
        StageNameError: there is no such stage.
        CheckError: the commit cannot be rebuilt: no packages, no inputs, no stages.
        SettingsError: the connection is needed and not set up.
    """
    repository = Repository.of(project)
    commit = commit_of(repository, question.rev)
    tolerance = Tolerance.read(question.tolerance) if question.tolerance else Tolerance()
    settings = environment.connection(project)
    with processes.temporary_folder(keep=question.keep) as folder:
        work = _Work(project, repository, commit, question, tolerance, settings, folder, say)
        return work.report()


@dataclass
class _Work:
    """What stays the same from run to run."""

    project: Project
    repository: Repository
    commit: str
    question: Question
    tolerance: Tolerance
    settings: Settings | BucketError
    folder: Path
    say: Callable[[str], None]
    packages: Packages | None = None
    known: Plan = field(default_factory=lambda: Plan({}, ()))
    stages: list[Stage] = field(default_factory=list)
    tracer: str = ""

    def report(self) -> Report:
        """Do it all."""
        report = Report(self.commit, self.question.rev)
        first = self._prepared(FIRST, report)
        self._note_changes(report)
        report.findings += records.of_git(self.stages, first.clone)
        self._execute(first, report, tracer=self.tracer)
        report.seconds = first.done
        recorded = self._recorded()
        report.results = self._compared(first, recorded)
        self._judge(first, report)
        report.causes |= self._causes(first, None, report.results)
        for variation in self.question.variations:
            run = self._prepared(variation, report)
            self._execute(run, report)
            self._compare_runs(run, first, report)
        report.folder = str(self.folder) if self.question.keep else ""
        return report

    def _check_question(self, made: Project, report: Report) -> None:
        """Refuse stages or tolerances that do not exist, and stages that leave the clone."""
        self.stages = self.known.select(self.question.stages)
        if not self.stages:
            raise CheckError(f"{self.commit[:7]} has no stages to run in its dvc.yaml.")
        if unused := self.tolerance.unused(entries(self.known)):
            raise CheckError(
                f"--tolerance {self.question.tolerance}: {', '.join(unused)}: no output is there."
            )
        confine.check_stages(made, self.repository.root, self.known, self.stages)
        report.stages = [stage.name for stage in self.stages]
        report.notes += [
            f"{out.path} has persist: true. Stage {stage.name} runs here without its earlier "
            "content, so the output differs if the stage builds on that."
            for stage in self.stages
            for out in stage.outs
            if out.is_persistent
        ]
        frozen = [stage.name for stage in self.known.stages.values() if stage.is_frozen]
        if frozen:
            report.notes.append(f"Frozen, so taken as they are recorded: {', '.join(frozen)}.")

    def _note_changes(self, report: Report) -> None:
        """Say so where the files that a person looks at are not those of the commit."""
        if self.commit == commit_of(self.repository, "HEAD"):
            changed = git(self.repository.root, "status", "--porcelain", "--untracked-files=no")
            if changed:
                report.notes.append("Your clone has changes that are not committed: not checked.")

    def _prepared(self, variation: Variation, report: Report) -> Run:
        """A new clone, and in the first one the packages."""
        folder = beside(self.folder, "run")
        target = folder / variation.folder
        self.say("cloning")
        made = clone.make(self.project, self.repository, self.commit, target)
        if self.packages is None:
            log, here = folder / "packages.log", self.question.here
            self.say("reading the stages" if here else "installing the packages")
            self.known = plan.read(made)
            self._check_question(made, report)
            self.packages = environment.here(self.project) if here else environment.made(made, log)
            report.environment = self.packages.title
        elif self.packages.venv:
            (made.root / ".venv").symlink_to(self.packages.venv)
        run = rebuild.start(folder, made, self.packages, variation, self.project, self.settings)
        if not self.tracer:
            self.tracer, report.tracing = trace.choose(run.env)
        report.runs.append(run.title)
        return run

    def _execute(self, run: Run, report: Report, tracer: str = "") -> None:
        """Get the inputs and run the stages."""
        rebuild.clear(run, self.stages)
        self.say("getting the inputs")
        pulled = rebuild.pull(run, self.stages, self.known, self.settings)
        if pulled and len(report.runs) == 1:
            report.notes.append(f"Inputs from the remote: {', '.join(pulled)}.")
        rebuild.execute(run, self.stages, self._on_stage(run), tracer=tracer)

    def _judge(self, run: Run, report: Report) -> None:
        """What is wrong beside the bytes."""
        commands = run.commands()
        report.findings += records.of_runs(run)
        report.findings += records.of_lock(self.known, run, report.results)
        report.findings += behaviour.of_commands(self.known, commands, run, self.project)
        unseen = sorted({one.stage for one in commands if one.seen is None})
        if unseen:
            report.notes.append(f"Not traced, as no Python ran in them: {', '.join(unseen)}.")
        unwatched = sorted(run.done.keys() - {one.stage for one in commands})
        if unwatched:
            raise CheckError(
                f"This DVC ran {', '.join(unwatched)} without $SHELL, so nothing was seen of it."
            )
        for name, (state, _) in run.lost.items():
            if state == "failed":
                report.causes[name] = processes.tail(run.log(name)).splitlines()

    def _compare_runs(self, run: Run, first: Run, report: Report) -> None:
        """A further run against the first, and rid of what it made if that is the same."""
        lost = set(first.lost)
        report.findings += [one for one in records.of_runs(run) if one.stage not in lost]
        results = self._compared(run, RunOutputs(first))
        report.results += results
        causes = self._causes(run, first, results)
        for name, lines in causes.items():
            known = report.causes.setdefault(name, [])
            known += [line for line in lines if line not in known]
        if all(one.ok for one in results) and not self.question.keep:
            shutil.rmtree(run.folder, ignore_errors=True)

    def _compared(self, run: Run, expected: Outputs) -> list[Result]:
        self.say("comparing")
        return Comparison(run, RunOutputs(run), expected, self.tolerance).results(self.stages)

    def _causes(
        self, run: Run, other: Run | None, results: Sequence[Result]
    ) -> dict[str, list[str]]:
        if not self.question.causes:
            return {}
        say = self._on_stage(run)
        inquiry = Inquiry(run, other, self.known, self._rerun, lambda name: say(f"{name}, again"))
        with suppress(CheckError):  # it is the bytes that count; why is more than was asked
            return inquiry.of(results)
        return {}

    def _rerun(self, run: Run, variation: Variation) -> Run:
        folder = beside(run.folder, "again")
        return rebuild.start(
            folder, run.clone, run.packages, variation, self.project, self.settings
        )

    def _recorded(self) -> RecordedOutputs:
        settings = self.settings if isinstance(self.settings, Settings) else None
        spool = beside(self.folder, "recorded")
        return RecordedOutputs(self.known, self.project, settings, self.commit, spool)

    def _on_stage(self, run: Run) -> Callable[[str], None]:
        return lambda name: self.say(f"{run.title}: {name}")


def beside(folder: Path, name: str) -> Path:
    """A new folder in another one."""
    made = folder / f"{name}-{secrets.token_hex(4)}"
    made.mkdir()
    return made
