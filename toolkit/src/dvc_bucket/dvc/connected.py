"""DVC with this project's connection: `bucket WORD` is `dvc WORD` with the settings loaded."""

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

from dvc_bucket.base import kernels
from dvc_bucket.base.errors import SettingsError
from dvc_bucket.base.files import write_private
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import clients
from dvc_bucket.connection import dvc_config as config
from dvc_bucket.connection.overrides import point_dvc_at
from dvc_bucket.connection.settings import Settings
from dvc_bucket.connection.settings.sources import RETRY_SECONDS
from dvc_bucket.dvc import site_cache

#: Options with which commands of DVC write to the remote: `add`, `import-url`, and `gc`.
TO_REMOTE, CLOUD = "--to-remote", {"-c", "--cloud"}

#: What stages run by, as in a Makefile.
SHELL = "/bin/sh"


def environment(project: Project, settings: Settings) -> dict[str, str]:
    """The environment in which `dvc` and the stages it starts find store and tools.

    The kernels of numerical libraries are pinned, so that stages compute the same on every CPU.
    DVC runs stages by the shell that `SHELL` names: `/bin/sh`, and not the person's own, which may
    have another syntax, read start files, or be none.
    The tools of the running Python come first on the PATH, so that `python` in a stage is the one
    with the project's packages.

    Raises:
        StrangerError: another user's program listens at the embedded endpoint.
        UnsafePathError: other users can enter the folder of DVC's databases.
    """
    tools = str(Path(sys.executable).parent)
    return {
        **clients.environment(settings, os.environ),
        RETRY_SECONDS: str(settings.retry_seconds),
        site_cache.VARIABLE: site_cache.site_cache(project),
        **kernels.pins(os.environ),
        # Threads of OpenMP that have nothing to do sleep: spinning, they cost half of a training's
        # CPU time, and more where others work on the machine.
        "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE"),
        **_aws_config(project, settings),
        "PATH": os.pathsep.join([tools, os.environ.get("PATH", os.defpath)]),
        "SHELL": SHELL,
        # Where output is a pipe, lines come as they are printed, not when a buffer is full.
        "PYTHONUNBUFFERED": "1",
    }


def run_dvc(
    arguments: Sequence[str],
    project: Project,
    settings: Settings,
    program: Sequence[str] = ("dvc_bucket.dvc.process",),
) -> int:
    """Run `dvc` with `arguments` and return its exit status.

    Args:
        arguments: the words after `dvc`.
        project: the clone to work in; the current folder may be any inside it.
        settings: the connection.
        program: the module that is DVC, and words before DVC's own.
    """
    _refuse_writing(arguments, settings)
    point_dvc_at(project, settings)
    command = [sys.executable, "-m", *program, *arguments]
    with subprocess.Popen(command, env=environment(project, settings)) as process:
        while True:
            # A terminal sends Ctrl-C to both: DVC ends its stages, then itself.
            with suppress(KeyboardInterrupt):
                return process.wait()


def become_dvc(arguments: Sequence[str], project: Project, settings: Settings) -> NoReturn:
    """Run `dvc` with `arguments` as the rest of this process, which ends with its exit status.

    There is one process to interrupt and one that takes memory, and it starts sooner.
    """
    from dvc_bucket.dvc import process

    _refuse_writing(arguments, settings)
    point_dvc_at(project, settings)
    variables = environment(project, settings)
    for name in os.environ.keys() - variables.keys():
        del os.environ[name]
    os.environ.update(variables)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    process.become(arguments)


def _refuse_writing(arguments: Sequence[str], settings: Settings) -> None:
    """Refuse a command of DVC that writes to the remote, where there are no keys.

    Raises:
        SettingsError: it does.
    """
    words = [word for word in arguments if not word.startswith("-")][:2]
    writes = words[:1] == ["push"] or words == ["exp", "push"] or TO_REMOTE in arguments
    if writes or (words[:1] == ["gc"] and not CLOUD.isdisjoint(arguments)):
        settings.check_may_write(f"`bucket {' '.join(arguments)}`")


def remote_prefix(project: Project, settings: Settings) -> str:
    """Prefix of the keys of DVC's default remote inside the bucket.

    Raises:
        ProjectError: `.dvc/config` names no default remote in S3.
        SettingsError: the remote is in another bucket than the settings name.
    """
    bucket, prefix = config.address(project)
    if bucket != settings.bucket_name:
        raise SettingsError(
            f"OS_BUCKET_NAME is {settings.bucket_name}, but DVC's remote in .dvc/config is "
            f"s3://{bucket}/{prefix}. Set both to the same bucket with `bucket init`."
        )
    return prefix


def _aws_config(project: Project, settings: Settings) -> dict[str, str]:
    """Where DVC is to read the addressing style, which it takes from an AWS file only.

    Raises:
        SettingsError: a style is set, and the AWS files are the person's own.
    """
    if settings.addressing_style == "auto":
        return {}
    if settings.asks_aws:
        raise SettingsError(
            "OS_ADDRESSING_STYLE is set, but the credentials come from your AWS configuration. "
            "Unset OS_ADDRESSING_STYLE and set the style in ~/.aws/config: `s3 =` and below it, "
            f"indented, `addressing_style = {settings.addressing_style}`."
        )
    project.aws_config.parent.mkdir(parents=True, exist_ok=True)
    text = f"[default]\ns3 =\n    addressing_style = {settings.addressing_style}\n"
    write_private(project.aws_config, text)
    return {"AWS_CONFIG_FILE": str(project.aws_config)}
