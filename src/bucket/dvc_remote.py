"""DVC with this project's connection: `bucket dvc ...` is `dvc ...` with the settings loaded."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from bucket.env_file import default_remote, point_dvc_at
from bucket.errors import SettingsError
from bucket.paths import Project
from bucket.settings import Settings


def environment(project: Project, settings: Settings) -> dict[str, str]:
    """The environment in which `dvc` and the stages it starts find store and tools.

    The tools of the running Python come first on the PATH, so that `python` in a stage is the one
    with the project's packages. DVC's database of file hashes is kept in the clone: its default,
    a folder that all users of a machine share, fails where another user made it.
    """
    tools = str(Path(sys.executable).parent)
    return {
        "DVC_SITE_CACHE_DIR": str(project.dvc_site_cache),
        **os.environ,
        **settings.aws_environment(),
        "PATH": os.pathsep.join([tools, os.environ.get("PATH", os.defpath)]),
        # Where output is a pipe, lines come as they are printed, not when a buffer is full.
        "PYTHONUNBUFFERED": "1",
    }


def run_dvc(
    arguments: Sequence[str],
    project: Project,
    settings: Settings,
    on_line: Callable[[str], None] | None = None,
) -> int:
    """Run `dvc` with `arguments` and return its exit status.

    DVC takes the endpoint from its own configuration first, so the git-ignored part of that is
    made to say what the settings say.

    Args:
        arguments: the words after `dvc`.
        project: the clone to work in; the current folder may be any inside it.
        settings: the connection.
        on_line: called with each line of standard output, which is then not printed; standard
            error, with DVC's progress bars, stays on the terminal.
    """
    point_dvc_at(project, settings.endpoint_url)
    command = [sys.executable, "-m", "dvc", *arguments]
    variables = environment(project, settings)
    if on_line is None:
        return subprocess.run(command, env=variables, check=False).returncode
    with subprocess.Popen(
        command,
        env=variables,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout or []:
            on_line(line.rstrip("\n"))
    return process.returncode


def remote_prefix(project: Project, settings: Settings) -> str:
    """Prefix of the keys of DVC's default remote inside the bucket.

    Raises:
        ProjectError: `.dvc/config` names no default remote.
        SettingsError: the remote is in another bucket than the settings name.
    """
    url = str(default_remote(project)["url"])
    parts = urlsplit(url)
    if parts.netloc != settings.bucket_name:
        raise SettingsError(
            f"OS_BUCKET_NAME is {settings.bucket_name}, but DVC's remote in .dvc/config is {url}. "
            "Make both name the same bucket (see data/README.md)."
        )
    return parts.path.strip("/")
