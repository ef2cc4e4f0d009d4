"""Projects of the tests' own: copies of the small project in `fixture_project`."""

import importlib.metadata
import shutil
from collections.abc import Iterable
from pathlib import Path

from dvc_bucket import Project
from dvc_bucket.base import ports
from dvc_bucket.connection.dvc_config import with_options
from dvc_bucket.connection.named_files import Names
from dvc_bucket.jobs.doctor.machine import ToolVersions

#: The project that is copied; nothing writes into it.
FIXTURE = Path(__file__).with_name("fixture_project")

#: What all its files say.
NAMES = Names(
    project="river-levels",
    endpoint="http://127.0.0.1:8333",
    bucket="research-data",
    prefix="river-levels",
    region="us-east-1",
)


def text(file: str) -> str:
    """The text of a file of the fixture project."""
    return (FIXTURE / file).read_text(encoding="utf-8")


def copy_files(root: Path, files: Iterable[str] = ()) -> Project:
    """A project with these files of the fixture project, or all; nothing else is changed."""
    found = (path for path in FIXTURE.rglob("*") if path.is_file())
    for file in files or [path.relative_to(FIXTURE).as_posix() for path in found]:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(FIXTURE / file, root / file)
    return Project(root)


def make_project(root: Path) -> Project:
    """A project with a configuration and a pattern of `.env`, at a port that is free."""
    (root / ".dvc").mkdir(parents=True)
    project = copy_files(root, [".dvc/config", ".env.example"])
    endpoint = f"http://127.0.0.1:{ports.free_ports(1)[0]}"
    config = with_options(text(".dvc/config"), {"endpointurl": endpoint})
    project.dvc_config.write_text(config)
    return project


def lock_file() -> str:
    """A lock file of the tools that the doctor looks at, as they are installed."""
    installed = ((name, importlib.metadata.version(name)) for name in ToolVersions.PACKAGES)
    return "".join(f"{name}=={version}\n" for name, version in installed)
