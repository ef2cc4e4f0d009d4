"""`bucket init`: one dialogue that writes a store of one's own into every file that names it."""

import difflib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import typer

from dvc_bucket.base.errors import BucketError, ProjectError, SettingsError
from dvc_bucket.base.files import write_private, write_whole
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import named_files
from dvc_bucket.connection.named_files import Names
from dvc_bucket.connection.overrides import point_dvc_at
from dvc_bucket.connection.settings import Settings, is_readable_on_the_way
from dvc_bucket.connection.settings.rules import check_text
from dvc_bucket.connection.settings.sources import ENVIRONMENT, Found
from dvc_bucket.git.contents import ended
from dvc_bucket.jobs.init import answers, dotenv, moving
from dvc_bucket.jobs.init.dotenv import EnvText


@dataclass(frozen=True)
class Plan:
    """All changes, known before the first file is written.

    Attributes:
        project: the clone.
        before: the names in the files now.
        names: the new names.
        tracked: text before and after of each tracked file that changes.
        env: the same of `.env`.
    """

    project: Project
    before: Names
    names: Names
    tracked: Mapping[Path, tuple[str, str]]
    env: EnvText

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not self.tracked and self.env.before == self.env.after

    @property
    def moves(self) -> bool:
        """Whether the project's data gets another place."""
        parts = ("endpoint", "bucket", "prefix")
        return any(getattr(self.names, part) != getattr(self.before, part) for part in parts)

    @property
    def settings(self) -> Settings | None:
        """The new connection; None where something is still missing in it."""
        return self.env.settings(self.project)

    def diff(self) -> str:
        """The changes of the tracked files as a unified diff; of `.env` the names alone."""
        lines: list[str] = []
        for path, (before, after) in self.tracked.items():
            name = str(path.relative_to(self.project.root))
            old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
            lines += difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", n=1)
        if not lines:
            lines.append("Nothing to change in the tracked files.\n")
        return "".join([*lines, str(self.env)])

    def write(self) -> None:
        """Write it, each file whole or not at all; then have plain DVC of this clone follow.

        Raises:
            ProjectError: a file could not be written; those before it are.
        """
        texts = {path: after for path, (_, after) in reversed(list(self.tracked.items()))}
        if self.env.after != self.env.before:
            texts[self.project.env_file] = self.env.after
        for path, text in texts.items():
            write = write_whole if path in self.tracked else write_private
            try:
                write(path, text)
            except OSError as error:
                raise ProjectError(
                    f"{path.relative_to(self.project.root)} could not be written: "
                    f"{error.strerror}. Fix this, then run the same `bucket init` again."
                ) from None
        if settings := self.settings:
            point_dvc_at(self.project, settings)


def plan(project: Project, given: Names, *, cacert: str | None = None, ask: bool = False) -> Plan:
    """Ask for the names that are not given, with the current ones as defaults; plan all changes.

    Args:
        project: the clone.
        given: answers that need no question.
        cacert: PEM file of certificate authorities; None for that of the environment, if any.
        ask: whether a person is there to answer; else what is not given stays as it is.

    Raises:
        SettingsError: an answer cannot be right.
        ProjectError: a file that names the project is missing or not as it should be.
    """
    now = named_files.current(project)
    authorities = _authorities(cacert)
    is_asked = ask and not answers.are_kept(project, given, now)
    names = answers.complete(given, now, ask=is_asked)
    tracked = named_files.rewritten(project, names)
    keys = answers.keys(project, names.endpoint or "", ask=ask)
    same = names.endpoint == now.endpoint
    env = dotenv.rewritten(project, names, keys, authorities, same_endpoint=same)
    return Plan(project, now, names, tracked, env)


def run(
    project: Project,
    given: Names,
    *,
    cacert: str | None = None,
    yes: bool = False,
    move_data: bool | None = None,
) -> None:
    """The dialogue: ask, show, confirm, copy the data of the embedded store, write.

    The copy comes first: after an interruption the project still is where its data is.

    Args:
        project: the clone.
        given: answers that need no question.
        cacert: PEM file of certificate authorities; None for that of the environment, if any.
        yes: write without asking; what is not given stays as it is.
        move_data: copy the data of the embedded store; None to ask.

    Raises:
        SettingsError: an answer cannot be right, or nobody is there to confirm.
        ProjectError: a file that names the project is missing or not as it should be.
        TransferError: the data could not be copied. Nothing is written.
    """
    is_person = sys.stdin.isatty() and sys.stdout.isatty()
    planned = plan(project, given, cacert=cacert, ask=is_person and not yes)
    _show(planned, is_agreed=yes or is_person)
    move, settings = None, planned.settings
    if move_data is not False:
        move = moving.found(project, planned.before, planned.names)
    is_moving = moving.agreed(move, settings, answer=move_data, ask=is_person and not yes)
    if not planned.is_empty and not yes and not typer.confirm("Write this?", default=True):
        raise SettingsError("Nothing was written.")
    if move and settings and is_moving:
        move.run(planned.names, settings)
    planned.write()
    _say_what_is_next(planned, is_moved=is_moving)


def _show(planned: Plan, *, is_agreed: bool) -> None:
    """Show what would be written, and what a person should know of it.

    Args:
        planned: the changes.
        is_agreed: somebody agrees to them, or is there to be asked.

    Raises:
        SettingsError: nobody does.
    """
    typer.echo(planned.diff())
    if not planned.is_empty and not is_agreed:
        raise SettingsError(
            "Nothing was written, because there is no terminal to ask on. Add --yes to write it."
        )
    for note in _notes(planned):
        typer.echo(f"Note: {note}")


def _say_what_is_next(planned: Plan, *, is_moved: bool) -> None:
    if planned.tracked:
        typer.echo("Written. To commit the tracked files: git commit -a")
    if is_moved:
        typer.echo(
            "The embedded store keeps its copy in .bucket/. Stop it with `make stop`. Delete "
            ".bucket/ when everybody has the new commit."
        )
    elif planned.moves:
        typer.echo("Data pushed earlier stays where it is; `make push` uploads this clone's data.")


def _authorities(cacert: str | None) -> Path | None:
    """The file of certificate authorities that is named, as an absolute path.

    Raises:
        SettingsError: there is no such file.
    """
    value = cacert or os.environ.get("OS_CACERT")
    if not value:
        return None
    path = Path(value).expanduser().absolute()
    check_text(Found("OS_CACERT", str(path), "answer" if cacert else ENVIRONMENT))
    return path


def _notes(planned: Plan) -> Iterator[str]:
    """What a person should know before agreeing, a sentence each."""
    names = {*answers.KEYS, "OS_ENDPOINT_URL", "OS_BUCKET_NAME", "OS_REGION"} & os.environ.keys()
    values = {name: os.environ[name].rstrip("/") for name in sorted(names)}
    written = planned.env.values
    others = [name for name, value in values.items() if value and value != written.get(name)]
    if others:
        yield (
            f"the environment sets {', '.join(others)} to other values and overrides .env. To use "
            f"the values written here: unset {' '.join(others)}"
        )
    if is_readable_on_the_way(planned.names.endpoint or ""):
        yield (
            f"{planned.names.endpoint} is plain http on another machine: everybody on the network "
            "path can read and change the data, and read a session token. Use https:// if the "
            "store supports it."
        )
    is_renamed = planned.names.project != planned.before.project
    if is_renamed and not ended(planned.project.root, "remote", "get-url", "origin").returncode:
        yield (
            "git's origin is still the repository that you cloned. To push to a repository of the "
            "project's own: git remote set-url origin URL"
        )
    settings = planned.settings
    if planned.moves and settings and _holds_objects(settings, planned.names.prefix or ""):
        yield (
            f"s3://{planned.names.bucket}/{planned.names.prefix}/ already contains objects. This "
            "is fine if they belong to this project. Otherwise choose another prefix; each project "
            "needs its own."
        )


def _holds_objects(settings: Settings, prefix: str) -> bool:
    """Whether objects are seen below the prefix; if none can be, the doctor will say why."""
    from dvc_bucket.connection import wire

    query = {"list-type": "2", "max-keys": "1", "prefix": f"{prefix}/"}
    try:
        answer = wire.get(settings, query)
    except (BucketError, OSError):
        return False
    return answer.status == 200 and bool(answer.element("Key"))
