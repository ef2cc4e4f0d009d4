"""Git repositories of the tests' own, with real commands and nobody's configuration."""

import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dvc_bucket import Project, Settings
from dvc_bucket.connection import env_file
from tests import forking
from tests.projects import copy_files, make_project

TOOLS = Path(sys.executable).parent

#: What somebody could have typed.
VALUE = "hunter2hunter2"

#: By a word of what the scanner calls them; put together here, so that this file has none.
TOKENS = {
    "AWS access key": "AKIA" + "Q3EGRIPL7ZXCVBNM",
    "password in a URL": "s3://research:" + "S3cretPass9@store.institute.edu/data",
    "github-pat": "ghp" + "_x7Q2mZ9rT4kV8nB1cL6wY3sD5fG0hJaPuEiO",
    "gitlab-pat": "glpat" + "-x7Q2mZ9rT4kV8nB1cL6w",
    "slack-bot-token": "xoxb" + "-749301857264-830174926351-x7Q2mZ9rT4kV8nB1cL6wY3sD",
    "jwt": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
    + ".eyJzdWIiOiI4NDkyMTcwMzQ2IiwibmFtZSI6IkpvaG4ifQ"
    + ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
}


@dataclass(frozen=True)
class Repo:
    """A git repository and, in it, a project."""

    root: Path
    project: Project

    def run(
        self, *command: str | Path, check: bool = True, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command at the root; its output is shown where a test fails."""
        done = forking.run(
            command,
            cwd=self.root,
            env={**environment(), **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        print(f"$ {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
        assert not check or done.returncode == 0
        return done

    def git(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run("git", *arguments, check=check)

    def bucket(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run(TOOLS / "bucket", *arguments, check=check)

    def write(self, path: str, content: str | bytes) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)

    def add(self, path: str, content: str | bytes) -> None:
        """Write and stage a file, ignored or not."""
        self.write(path, content)
        self.git("add", "--force", "--", path)

    def commit(self, *options: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.git("commit", "-m", "A change", *options, check=check)

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD").stdout.strip()


def environment() -> dict[str, str]:
    """Without the configuration and the hooks of whoever runs the tests."""
    ours = {
        name: text for name, text in os.environ.items() if not name.startswith(("GIT_", "BUCKET_"))
    }
    return ours | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Test",
        "GIT_AUTHOR_EMAIL": "test@example.org",
        "GIT_COMMITTER_NAME": "Test",
        "GIT_COMMITTER_EMAIL": "test@example.org",
    }


def make_repo(root: Path, folder: str = ".") -> Repo:
    """A repository with a project in `folder`, credentials of its own, and nothing committed."""
    project = make_project(root / folder)
    repo = Repo(root, project)
    repo.git("init", "--quiet")
    env_file.create_env(project)
    copy_files(project.root, [".gitignore"])
    (project.root / ".venv").symlink_to(TOOLS.parent)
    return repo


def new_value() -> str:
    """What a secret key looks like."""
    return secrets.token_hex(20)


def own_secret(repo: Repo) -> str:
    """The secret key in the `.env` of the repository's project."""
    secret = Settings.load(repo.project, {}).secret_access_key
    assert secret is not None
    return secret.get_secret_value()
