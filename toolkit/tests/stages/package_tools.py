"""A project of two stages, each with packages of its own, and its lock file."""

import importlib.metadata
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dvc_bucket import Project
from dvc_bucket.connection.env_file import create_env
from dvc_bucket.stages.declared import versions
from tests.projects import make_project

#: Packages that are small, installed and imported by a name of their own or by another one.
USED = ("tomlkit", "python-dateutil", "six", "idna")

DATE = importlib.metadata.version("python-dateutil")

FILES = {
    ".gitignore": "/.env\n/.bucket\n/.dvc/tmp\n/.dvc/cache\n/*.txt\n",
    "load.py": (
        "import sys, pathlib\nimport tomlkit\n"
        "pathlib.Path(sys.argv[1]).write_text(tomlkit.dumps({'a': 1}))\n"
    ),
    "fit.py": (
        "from pathlib import Path\nfrom dateutil import parser\n"
        "from dvc_bucket.stages import run_stage\n"
        "def main(source: Path, out: Path) -> None:\n"
        "    import idna\n"
        "    out.write_text(f'{parser.parse(\"2020-01-02\")} {idna.__name__}\\n')\n"
        "if __name__ == '__main__':\n    run_stage(main)\n"
    ),
    "dvc.yaml": """\
stages:
  load:
    cmd: python load.py load.txt
    deps: [load.py]
    params:
      - packages.yaml: [tomlkit]
    outs: [load.txt]
  fit:
    cmd: python fit.py load.txt fit.txt
    deps: [load.txt, fit.py]
    params:
      - packages.yaml: [python-dateutil, six]
    outs: [fit.txt]
""",
}


def lock(project: Project, **changes: str) -> None:
    """Write the lock file, with the installed versions but for these, and packages.yaml."""
    pins = {name: importlib.metadata.version(name) for name in (*USED, "pytest")}
    pins |= {name.replace("_", "-"): version for name, version in changes.items()}
    text = "".join(f"{name}=={version} \\\n    --hash=sha256:0\n" for name, version in pins.items())
    (project.root / "requirements.lock").write_text(text)
    versions.write(project)


def make(root: Path) -> Project:
    """The project with its lock file and packages.yaml; nothing has run."""
    project = make_project(root)
    create_env(project)
    for path, text in FILES.items():
        (project.root / path).write_text(text)
    for words in (["init", "-q"], ["add", "--all"]):
        subprocess.run(["git", *words], cwd=project.root, check=True)
    lock(project)
    return project


@contextmanager
def put_back(project: Project, *others: str) -> Iterator[Project]:
    """The project, put back afterwards: its flow, packages and lock file, and these files."""
    names = ("dvc.yaml", "packages.yaml", "requirements.lock", *others)
    before = {name: (project.root / name).read_bytes() for name in names}
    yield project
    for name, content in before.items():
        (project.root / name).unlink(missing_ok=True)  # it may be a link to the cache
        (project.root / name).write_bytes(content)
