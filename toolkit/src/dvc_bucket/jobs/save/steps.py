"""The steps of a save, each after the one before it has succeeded.

Data goes to the remote before the commit that names it exists, and the commit before it is pushed:
nobody gets a commit whose data is nowhere.
"""

import posixpath
import tempfile
from collections.abc import Callable
from pathlib import Path

from dvc_bucket.base.errors import SaveError
from dvc_bucket.base.paths import Project
from dvc_bucket.base.words import counted
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc.connected import run_dvc
from dvc_bucket.dvc.snapshot import Snapshot, Stage, overlap
from dvc_bucket.git import saving
from dvc_bucket.git.secrets import scan
from dvc_bucket.store import text as server_text
from dvc_bucket.store.server import Server


def save(
    project: Project,
    settings: Callable[[], Settings],
    message: str,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Push the data of the work tree, commit what records it, and push the commit.

    Args:
        project: the clone.
        settings: reads the connection.
        message: of the commit.
        say: hears of each step.

    Raises:
        SaveError: a step was refused or failed; those before it are done.
        BucketError: the project, the connection or the store cannot be used.
    """
    snapshot = Snapshot.at(project)
    _check_stages(snapshot)
    _check_inputs(project, snapshot)
    say(f"stages: {counted(len(snapshot.stages), 'stage')}, none is stale")
    records = saving.unsaved(project, _records(snapshot))
    saving.add(project, records)
    for path in records:
        say(f"staged: {path}")
    _check_secrets(project, message)
    say("secrets: none in the files to commit")
    _push_data(project, snapshot, settings, say)
    if saving.has_staged(project):
        say("commit:")
        saving.commit(project, message)
    else:
        say("commit: nothing has changed since the last commit")
    for sentence in saving.push(project):
        say(f"push: {sentence}")


def _check_stages(snapshot: Snapshot) -> None:
    """Refuse results that do not follow from their inputs.

    Raises:
        SaveError: a stage is stale, tracked data has changed, or `dvc.lock` has stages long gone.
    """
    if snapshot.graph_error:
        raise SaveError(f"DVC cannot read the stages: {snapshot.graph_error} Nothing was saved.")
    stale = snapshot.stale(always=False)
    if changed := [stage for stage in snapshot.tracked if stage.name in stale]:
        paths = " ".join(out.path for stage in changed for out in stage.outs)
        raise SaveError(
            f"Data is missing or differs from its .dvc file: {paths}. `bucket add {paths}` records "
            f"the current data; `bucket checkout {paths}` or `bucket pull {paths}` restores the "
            "recorded data. Nothing was saved."
        )
    if stale:
        raise SaveError(
            f"Stale: {', '.join(stale)}. `bucket repro` runs the changed stages; `bucket pull` "
            "downloads missing results. Nothing was saved."
        )
    if gone := [name for names in snapshot.gone.values() for name in names]:
        raise SaveError(
            f"dvc.lock still has {', '.join(gone)}, which dvc.yaml no longer has. `bucket repro` "
            "removes them. Nothing was saved."
        )


def _check_inputs(project: Project, snapshot: Snapshot) -> None:
    """Refuse to commit results without the code and parameters that they were made with.

    Raises:
        SaveError: an input of a stage that belongs in git is not staged.
    """
    made = list(snapshot.outs)
    inputs = {stage.file for stage in snapshot.stages}
    for stage in snapshot.stages:
        inputs |= {*stage.params, *(dep.path for dep in stage.deps)}
    in_git = [path for path in sorted(inputs) if _is_inside(path) and path not in made]
    if missing := saving.unsaved(project, in_git):
        names = " ".join(missing)
        raise SaveError(
            f"Stages read files that are not staged: {names}. The commit would lack inputs of its "
            f"results. Run `git add {names}`, then run this command again. Nothing was saved."
        )


def _is_inside(path: str) -> bool:
    return "://" not in path and not posixpath.isabs(path) and not path.startswith("../")


def _records(snapshot: Snapshot) -> list[str]:
    """Paths that record results: lock files, `.dvc` files, reports that git keeps, ignore files."""
    everything: list[Stage] = [*snapshot.stages, *snapshot.tracked]
    cached = {out.path for stage in everything for out in stage.outs if out.is_cached}
    shown = [*snapshot.metrics, *snapshot.plots]
    records = {posixpath.join(posixpath.dirname(stage.file), "dvc.lock") for stage in everything}
    records |= {stage.file for stage in snapshot.tracked}
    records |= {posixpath.join(posixpath.dirname(path), ".gitignore") for path in cached}
    records |= {out.path for stage in everything for out in stage.outs if not out.is_cached}
    records |= {path for path in shown if not any(overlap(path, other) for other in cached)}
    return sorted(path for path in records if _is_inside(path))


def _check_secrets(project: Project, message: str) -> None:
    """Refuse a commit with a secret in it.

    Raises:
        SaveError: with all findings.
    """
    with tempfile.TemporaryDirectory(prefix="bucket-save-") as folder:
        file = Path(folder) / "message"
        file.write_text(message, encoding="utf-8")
        outcome = scan.staged(project, file)
    if outcome.findings:
        raise SaveError(f"{outcome}\nNothing was pushed or committed.")


def _push_data(
    project: Project,
    snapshot: Snapshot,
    settings: Callable[[], Settings],
    say: Callable[[str], None],
) -> None:
    """Send the data to the remote; the embedded store is started for it.

    Raises:
        SaveError: DVC could not.
    """
    if not any(out.is_cached for out in snapshot.outs.values()):
        say("data: none")
        return
    server = Server(project)
    if server.is_wanted:
        say(server_text.started(server.start()))
    say("data: dvc push")
    if status := run_dvc(["push"], project, settings()):
        raise SaveError(
            f"`dvc push` failed (exit status {status}); the lines above say why. Nothing was "
            "committed. Fix the cause and run the command again."
        )
