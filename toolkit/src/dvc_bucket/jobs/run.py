"""`bucket run COMMAND`: any program with the connection in all the names that programs know."""

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from dvc_bucket.base.errors import ProgramError, SettingsError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import clients
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc import connected

#: Names of MinIO's client. Its only word for an authority of one's own is `SSL_CERT_FILE`, which
#: for others would take the place of all authorities, also for hosts that are not the store.
MC = {"mc", "mcli"}


def environment(program: str, project: Project, settings: Settings) -> dict[str, str]:
    """The environment in which `program` finds the store, and the tools of this Python first."""
    names = clients.s5cmd_environment(settings) | clients.rclone_environment(settings)
    with contextlib.suppress(SettingsError):  # keys that mc cannot be told in this way
        names |= clients.mc_environment(settings)
    if Path(program).name not in MC:
        names.pop("SSL_CERT_FILE", None)
    if (shell := os.environ.get("SHELL")) and Path(program).name != "dvc":
        names["SHELL"] = shell  # the person's own, for a terminal that the program may open
    return connected.environment(project, settings) | names


def become(command: Sequence[str], variables: Mapping[str, str]) -> NoReturn:
    """Replace this process by `command`, whose exit status is then this one's.

    Raises:
        ProgramError: there is no such program, or it cannot be started.
    """
    program = command[0]
    sys.stdout.flush()
    try:
        os.execvpe(program, list(command), dict(variables))  # noqa: S606 (no shell: on purpose)
    except FileNotFoundError:
        fault = f"The program {program} is neither in .venv nor on the PATH. Install it."
    except OSError as error:
        fault = f"{program} cannot be started: {error.strerror}."
    raise ProgramError(fault)
