"""From the embedded store to a bucket of one's own, with the data of all commits."""

from dataclasses import dataclass, replace

import typer

from dvc_bucket.base.errors import SettingsError, TransferError
from dvc_bucket.base.files import readable_size
from dvc_bucket.base.paths import Project
from dvc_bucket.base.progress import bar
from dvc_bucket.base.words import counted, shortened
from dvc_bucket.connection.named_files import Names
from dvc_bucket.connection.settings import Settings, is_embedded
from dvc_bucket.dvc.audit.copying import RemoteCopy, copy_all
from dvc_bucket.dvc.remote import Remote
from dvc_bucket.store.server import Server
from dvc_bucket.transfer.files import scratch_folder
from dvc_bucket.transfer.single import count_objects

#: Paths that are named where data of old commits is lost.
MAX_LISTED = 10

#: What a person is asked.
QUESTION = "Copy the data of all commits there?"


@dataclass(frozen=True)
class Move:
    """Data in the embedded store of this clone, which the project leaves.

    Attributes:
        project: the clone.
        source: the remote in the embedded store.
        objects: how many it holds.
        size: bytes of those.
    """

    project: Project
    source: Remote
    objects: int
    size: int

    def __str__(self) -> str:
        held = f"{counted(self.objects, 'object')} ({readable_size(self.size)})"
        return f"The embedded store of this clone holds {held} of the project."

    def run(self, names: Names, settings: Settings) -> None:
        """Copy what any commit needs to the new store, and verify it there.

        Args:
            names: of the new store.
            settings: the connection to it.

        Raises:
            ProjectError: git or DVC cannot read the project.
            TransferError: a store refused or could not be reached; or the new one lacks something
                that was sent.
        """
        target = replace(self.source, settings=settings, prefix=names.prefix or "")
        with scratch_folder(self.project.store) as spool, bar() as progress:
            copied = copy_all(self.project, self.source, target, spool, progress)
        typer.echo(_report(copied, target))
        beside = count_objects("", settings=self.source.settings)[0] - self.objects
        if beside:
            typer.echo(
                f"Not copied: {counted(beside, 'object')} of the embedded store outside "
                f"{self.source.address}/, which DVC does not manage. Publish them again."
            )


def found(project: Project, before: Names, after: Names) -> Move | None:
    """The data that the project leaves behind in the embedded store of this clone, if any.

    The store is started, with the settings of `.env` alone: the environment may have keys for the
    new one.

    Raises:
        BucketError: the embedded store does not start.
    """
    if is_embedded(after.endpoint or "") or not (project.store / "data").is_dir():
        return None
    try:
        settings = Settings.load(project, {})
    except SettingsError:
        return None
    if not settings.is_embedded:
        return None
    Server(project, {}).start()
    settings = Settings.load(project, {})
    prefix = (before if is_embedded(before.endpoint or "") else after).prefix or ""
    named = Remote.of(project, settings, None, is_own=False)
    source = replace(named, settings=settings, prefix=prefix)
    objects, size = count_objects(f"{prefix}/" if prefix else "", settings=settings)
    return Move(project, source, objects, size) if objects else None


def agreed(move: Move | None, settings: Settings | None, *, answer: bool | None, ask: bool) -> bool:
    """Whether data is to be copied.

    Args:
        move: what would be; None if there is nothing.
        settings: the connection to the new store; None where its keys are missing.
        answer: of the command line; None if it gives none.
        ask: whether a person is there to answer; else the default holds, which is to copy.

    Raises:
        SettingsError: it is, and there is nothing, or the keys are missing.
    """
    if move is None:
        if answer:
            raise SettingsError(
                "Nothing was written: --move-data copies from the embedded store of this clone to "
                "another store, and that does not apply here. `bucket push --all-commits` uploads "
                "the data of the cache."
            )
        return False
    typer.echo(str(move))
    is_wanted = answer if answer is not None else not ask or typer.confirm(QUESTION, default=True)
    if is_wanted and settings is None:
        raise SettingsError(
            "Nothing was written: copying the data needs the keys of the new store. Set "
            "OS_ACCESS_KEY_ID and OS_SECRET_ACCESS_KEY in the environment, or add --no-move-data."
        )
    return is_wanted


def _report(copied: RemoteCopy, target: Remote) -> str:
    """What was copied, and what no copy here could give.

    Raises:
        TransferError: the new store lacks something that was sent.
    """
    done = (
        f"{counted(copied.objects, 'object')} ({readable_size(copied.size)}) copied to "
        f"{target.address}."
    )
    findings = copied.report.findings if copied.report else []
    unknown = [one for one in findings if one.name is None and one.fault.kind == "unreadable"]
    lost = [one for one in findings if one.name in copied.lost]
    if len(lost) + len(unknown) < len(findings):
        wrong = next(one for one in findings if one not in lost and one not in unknown)
        raise TransferError(
            f"{done} The new store lacks data that was sent, so nothing was written: {wrong.path}: "
            f"{wrong.fault}. Run the command again."
        )
    if not findings:
        return f"{done} Verified: all data of the commits of this clone is there."
    losses = copied.paths | {one.path or "a commit": one.revisions for one in unknown}
    rows = [f"  {path} of {', '.join(map(str, commits))}" for path, commits in losses.items()]
    return "\n".join(
        [
            f"{done} The following is missing there, because neither the embedded store nor this "
            "clone's cache has an intact copy. Run `bucket verify -A --repair` in a clone that "
            "has it and is on the new store.",
            *shortened(rows, MAX_LISTED),
        ]
    )
