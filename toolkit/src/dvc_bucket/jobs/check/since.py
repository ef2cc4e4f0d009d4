"""The stages that a change touches: for `--since`, as CI checks each change."""

from collections.abc import Sequence

from dvc_bucket.base import project_settings
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.snapshot import Snapshot, Stage, overlap
from dvc_bucket.git.contents import ended, git

#: What comes after the name of tracked data, in that of the file that git has of it.
POINTER = ".dvc"


def touched(clone: Project, base: str, commit: str, stages: Sequence[Stage]) -> list[Stage]:
    """The stages that differ from those of another commit: declared, recorded, or their files.

    All of them, if the packages differ, or DVC cannot read the other commit.

    Args:
        clone: of the commit.
        base: full id; its last common commit with the other one counts, if this clone has it.
        commit: full id.
        stages: of the commit.
    """
    common = ended(clone.root, "merge-base", base, commit).stdout.decode().split()
    base = common[0] if common else base
    said = git(clone.root, "diff", "--name-only", "--relative", "-z", base, commit)
    changed = [path.removesuffix(POINTER) for path in said.decode().split("\0") if path]
    settings = project_settings.of(clone)
    code = [settings.lock_file, *settings.packages]
    try:
        before = {stage.name: stage for stage in Snapshot.at(clone, base).stages}
    except ProjectError:
        return [*stages]
    if any(overlap(path, one) for path in changed for one in code):
        return [*stages]
    recorded = {name: stage.outs for name, stage in before.items()}
    outs = (
        out.path
        for stage in stages
        for out in stage.outs
        if out not in recorded.get(stage.name, ())  # recorded otherwise, or not at all
    )
    other = [*changed, *outs]
    return [
        stage
        for stage in stages
        if _differs(stage, before.get(stage.name))
        or any(overlap(dep.path, path) for dep in stage.deps for path in other)
    ]


def _differs(stage: Stage, before: Stage | None) -> bool:
    """Whether what a stage declares, or what is recorded of it, is another."""
    return before is None or any(
        getattr(stage, name) != getattr(before, name)
        for name in ("command", "folder", "deps", "outs", "params", "meta", "is_frozen")
    )
