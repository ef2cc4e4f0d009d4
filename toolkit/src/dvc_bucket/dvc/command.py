"""`bucket WORD` of DVC: the same command, with this project's connection."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from dvc_bucket.base.paths import Project
from dvc_bucket.dvc import nothing_to_do as nothing
from dvc_bucket.dvc.patched.chosen import is_plain

if TYPE_CHECKING:
    from dvc_bucket.connection.settings import Settings

#: Words that need no connection. `init`, `config` and `remote` work before there is one.
WITHOUT_CONNECTION = {"init", "config", "remote", "root", "completion"}

#: Options with which DVC only prints its help.
HELP = {"-h", "--help"}


def become(arguments: Sequence[str]) -> NoReturn:
    """Run `dvc` with `arguments` as the rest of this process, which ends with its exit status.

    Outside of a project there is no connection, so DVC runs without one.

    Raises:
        BucketError: the settings cannot be used.
    """
    project = Project.around()
    if not project or HELP.intersection(arguments) or WITHOUT_CONNECTION & set(arguments[:1]):
        from dvc_bucket.dvc import process

        process.become(arguments)
    is_whole = nothing.is_whole(arguments) and not is_plain()
    if is_whole and arguments[0] != "push" and nothing.is_done(project, arguments[0]):
        _say_nothing_to_do(arguments)
    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.dvc.connected import become_dvc

    settings = Settings.load(project)
    if is_whole and arguments[0] == "push":
        _push(project, settings, arguments)
    become_dvc(arguments, project, settings)


def _push(project: Project, settings: "Settings", arguments: Sequence[str]) -> None:
    """End this process if nothing is to be pushed, or little, which is then pushed."""
    if nothing.is_sent(project, settings):
        _say_nothing_to_do(arguments)
    from dvc_bucket.base.words import counted
    from dvc_bucket.dvc import push_new

    sent = push_new.push(project, settings)
    if sent is None:
        return
    if sent == 0:
        _say_nothing_to_do(arguments)
    if not nothing.QUIET & set(arguments):
        print(f"{counted(sent, 'file')} pushed")
    sys.exit(0)


def _say_nothing_to_do(arguments: Sequence[str]) -> NoReturn:
    if not nothing.QUIET & set(arguments):
        print(nothing.SAID[arguments[0]])
    sys.exit(0)
