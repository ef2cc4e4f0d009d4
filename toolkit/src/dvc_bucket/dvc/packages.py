"""No stage runs with other versions of its packages than packages.yaml has, which DVC records."""

from collections.abc import Iterator, Sequence

from dvc_bucket.base import packages
from dvc_bucket.base.paths import Project
from dvc_bucket.base.words import listed
from dvc_bucket.dvc.patched import command_line
from dvc_bucket.dvc.snapshot import Snapshot, Stage


def refuse(arguments: Sequence[str]) -> None:
    """Refuse `dvc repro` if a stage that it would run depends on a package of another version.

    DVC is asked for the stages only if a version differs at all.

    Args:
        arguments: the words after `dvc`.

    Raises:
        PackagesError: naming stages, packages and what to do.
        ProjectError: packages.yaml cannot be read.
    """
    project = Project.around()
    if not project or arguments[:1] != ["repro"] or {"--dry", "-h", "--help"} & {*arguments}:
        return
    differences = {one.name: one for one in packages.different(project)}
    if not differences:
        return
    users: dict[str, list[str]] = {}
    for stage in _to_run(Snapshot.at(project), arguments):
        params = stage.params.get(packages.FILE)
        for name in differences.keys() & {*(params.keys if params else ())}:
            users.setdefault(name, []).append(stage.title)
    if users:
        stages = list(dict.fromkeys(title for titles in users.values() for title in titles))
        raise packages.refusal(listed(stages), [differences[name] for name in sorted(users)])


def _to_run(snapshot: Snapshot, arguments: Sequence[str]) -> Iterator[Stage]:
    """The stages that are stale, and those that read what these write; frozen ones never run.

    With `--force` all that are asked for. Targets are taken into account as far as they are names
    of stages.
    """
    options = command_line.parsed(arguments)
    if snapshot.graph_error or options is None:
        return  # DVC will say so
    stages = {stage.name: stage for stage in snapshot.stages}
    asked = _asked(stages, options.targets, single=options.single_item)
    if options.downstream or options.all_pipelines:
        asked = set(stages)
    running = asked if options.force else {*snapshot.stale()}
    for name, stage in stages.items():
        if name in running or running.intersection(stage.upstream):
            running = running | {name}
            if name in asked and not stage.is_frozen:
                yield stage


def _asked(stages: dict[str, Stage], targets: Sequence[str], *, single: bool) -> set[str]:
    """The names of the targets and of all that they need; of all stages if a target is no name."""
    if not targets or not {*targets} <= stages.keys():
        return set(stages)
    asked, pending = set[str](), list(targets)
    while pending:
        name = pending.pop()
        if name in stages and name not in asked:
            asked.add(name)
            pending += [] if single else stages[name].upstream
    return asked
