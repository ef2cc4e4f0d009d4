"""What the tests of the store do with it."""

import os
import subprocess
import sys
from pathlib import Path

import obstore
from configobj import ConfigObj

from dvc_bucket import Project, Settings
from dvc_bucket.store.server import Server
from tests import forking

BUCKET = Path(sys.executable).with_name("bucket")


def run(project: Project, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return forking.run(
        [BUCKET, *arguments],
        cwd=project.root,
        env=os.environ | changes,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def secret_of(settings: Settings) -> str:
    assert settings.secret_access_key
    return settings.secret_access_key.get_secret_value()


def put(project: Project, key: str, value: bytes) -> None:
    obstore.put(Settings.load(project).obstore(), key, value)


def get(project: Project, key: str) -> bytes:
    return bytes(obstore.get(Settings.load(project).obstore(), key).bytes())


def files(root: Path) -> dict[str, bytes]:
    """Content of every file of a project outside its store."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".bucket" not in path.parts
    }


def pid_of(project: Project) -> int:
    pid = Server(project).status().pid
    assert pid is not None
    return pid


def own_options(project: Project) -> dict[str, object]:
    """What `.dvc/config.local` says, but for the link types that it has for root."""
    found: dict[str, object] = ConfigObj(str(project.dvc_config_local)).dict()
    if os.geteuid() == 0:
        assert found.pop("cache") == {"type": "reflink,copy"}
    return found
