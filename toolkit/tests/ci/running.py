"""Run the jobs of the two CI files here, as their forges' runners do."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.ci.forges import GitHub, GitLab, Job
from tests.clones import Clone

#: Where the files want the embedded store; here, that port can be somebody else's.
ENDPOINT = "http://127.0.0.1:8333"


def scripts(forge: GitHub | GitLab, job: Job) -> list[tuple[str, dict[str, str]]]:
    """What one shell each runs, and with which variables.

    GitHub runs each step with `bash --noprofile --norc -eo pipefail`, GitLab all of `script` with
    these options set.
    """
    told = {"CI": "true"}
    told |= {"GITHUB_ACTIONS": "true"} if isinstance(forge, GitHub) else forge.variables
    return [
        (script.text, {**told, **job.env, **script.env})
        for script in job.scripts
        if script.is_wanted
    ]


def run(
    clone: Clone, text: str, env: Mapping[str, str], *, endpoint: str
) -> subprocess.CompletedProcess[str]:
    """Run a script in a clone, with the embedded store at `endpoint`; it has to succeed."""
    if os.getuid() == 0:
        text = re.sub(r"^sudo ", "", text, flags=re.MULTILINE)
    values = {name: value.replace(ENDPOINT, endpoint) for name, value in env.items()}
    text = text.replace(ENDPOINT, endpoint)
    shell = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text)
    return clone.run(*shell, check=True, **values)


def let_be_set_up(root: Path) -> None:
    """Have `make setup` find a clone up to date whose .venv is that of the tests."""
    locks = ("requirements.lock", "requirements-dev.lock")
    for name in ("pyproject.toml", *locks, "toolkit/pyproject.toml"):
        os.utime(root / name, (0, 0))
