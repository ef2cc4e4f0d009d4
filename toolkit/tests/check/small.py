"""Small repositories with real stages, each stage a few lines of Python."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from dvc_bucket import Project
from dvc_bucket.base.kernels import pins
from dvc_bucket.jobs.check.findings import CheckReport
from dvc_bucket.jobs.check.rebuild import CheckOptions, check
from dvc_bucket.jobs.check.report import as_json
from tests.bucket.git_tools import Repo
from tests.clones import TOOLS

CONFIG = "[core]\n    analytics = false\n"
IGNORED = "/.env\n/.dvc/config.local\n/.dvc/tmp\n/.dvc/cache\n__pycache__/\n"


HEAD = """from pathlib import Path


def write(name, text):
    Path(name).write_text(text)


def read(name):
    return Path(name).read_text()


"""


def script(body: str) -> str:
    """A stage's program; `write` and `read` are there."""
    return f"{HEAD}{body}\n"


@dataclass(frozen=True)
class Stages:
    """A repository with a dvc.yaml."""

    repo: Repo

    @property
    def root(self) -> Path:
        return self.repo.root

    def write_stages(self, stages: Mapping[str, Any]) -> None:
        """Write dvc.yaml."""
        with (self.root / "dvc.yaml").open("w") as file:
            YAML().dump({"stages": dict(stages)}, file)

    def dvc(self, *words: str) -> None:
        """Run plain `dvc`, as `bucket dvc` would have it run."""
        self.repo.run(TOOLS / "dvc", *words, env=tools() | pins({}))

    def commit(self) -> str:
        self.repo.git("add", "--all")
        self.repo.commit("--quiet")
        return self.repo.head

    def check(self, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """`bucket check`, as a person types it."""
        command = [str(TOOLS / "bucket"), "check", *words]
        return self.repo.run(*command, check=False, env=tools() | changes)

    def found(self, rev: str = "HEAD", **asked: Any) -> CheckReport:
        """What it finds, asked in this process."""
        return check(self.repo.project, CheckOptions(rev, here=True, **asked))

    def report(self, rev: str = "HEAD", **asked: Any) -> dict[str, Any]:
        """The same as a program gets it."""
        found: dict[str, Any] = json.loads(as_json(self.found(rev, **asked)))
        return found


def tools() -> dict[str, str]:
    """The environment's programs first."""
    return {"PATH": os.pathsep.join([str(TOOLS), os.environ["PATH"]])}


def stage(name: str, **more: Any) -> dict[str, Any]:
    """A stage that runs src/NAME.py and makes NAME.txt, unless something else is said."""
    deps = [f"src/{name}.py", *more.pop("deps", [])]
    return {"cmd": f"python src/{name}.py", "deps": deps, "outs": [f"{name}.txt"]} | more


def make(root: Path, files: Mapping[str, str], stages: Mapping[str, Any]) -> Stages:
    """A repository with files and stages that have run; nothing is committed yet."""
    made = Stages(Repo(root, Project(root)))
    for name, text in {".dvc/config": CONFIG, ".gitignore": IGNORED, **files}.items():
        made.repo.write(name, text)
    made.repo.git("init", "--quiet")
    made.write_stages(stages)
    made.dvc("repro", "--quiet")
    return made


def without_strace(folder: Path) -> str:
    """A PATH with what the check needs and without strace."""
    folder.mkdir()
    for program in ("git", "sh", "env"):
        (folder / program).symlink_to(str(shutil.which(program)))
    return os.pathsep.join([str(TOOLS), str(folder)])
