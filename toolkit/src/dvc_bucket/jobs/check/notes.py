"""What there is to know of a check besides what it found, in sentences."""

from collections.abc import Iterator, Sequence

from dvc_bucket.dvc.snapshot import Stage
from dvc_bucket.git.contents import commit_of, git
from dvc_bucket.jobs.check.clone import Clones
from dvc_bucket.jobs.check.plan import StagePlan
from dvc_bucket.jobs.check.runs import CloneRun


def of_check(
    clones: Clones, plan: StagePlan, stages: Sequence[Stage], first: CloneRun
) -> Iterator[str]:
    """The notes on a check.

    Args:
        clones: of the commit.
        plan: its stages.
        stages: those that ran.
        first: their first run.
    """
    yield from (note for stage in stages for note in _of_persistent(stage))
    if frozen := [stage.name for stage in plan.stages.values() if stage.is_frozen]:
        yield f"Frozen, so used as recorded: {', '.join(frozen)}."
    if plan.gone:
        yield f"In dvc.lock but no longer in dvc.yaml: {', '.join(plan.gone)}."
    repository = clones.repository
    is_head = clones.commit == commit_of(repository, "HEAD")
    if is_head and git(repository.root, "status", "--porcelain", "--untracked-files=no"):
        yield "Your clone has uncommitted changes, which were not checked."
    if inputs := plan.pulled(stages):
        yield f"Inputs from the remote: {', '.join(inputs)}."
    seen = first.executions.items()
    if untraced := sorted(name for name, run in seen if run.before and not run.trace):
        yield f"Not traced, because they did not run Python: {', '.join(untraced)}."


def _of_persistent(stage: Stage) -> Iterator[str]:
    """A note on each output that DVC does not delete before its stage runs."""
    for path in (out.path for out in stage.outs if out.is_persistent):
        yield (
            f"{path} has persist: true. Stage {stage.name} runs without its earlier content, so "
            "the output differs if the stage depends on it."
        )
