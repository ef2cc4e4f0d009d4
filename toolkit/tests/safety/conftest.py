"""A second user of the machine, for tests of what other users must not be able to do."""

import os
import pickle
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.safety.output_tools import here, repo  # noqa: F401 (the same)
from tests.safety.project_tools import (  # noqa: F401 (fixtures: pytest finds them by name here)
    empty_original,
    empty_project,
)
from tests.safety.tables import (  # noqa: F401 (fixtures: pytest finds them by name here)
    clone,
    on_seaweed,
    published_tables,
)


@dataclass(frozen=True)
class Stranger:
    """A user who is logged in to the same machine and has no rights of ours."""

    name: str
    uid: int
    gid: int

    def run(self, *command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a program as this user. Programs below a private home folder cannot start."""
        return subprocess.run(
            command,
            user=self.uid,
            group=self.gid,
            extra_groups=[],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **options,
        )

    def call(self, function: Callable[[], Any]) -> Any:
        """Return what a function returns, or raise what it raises, in a process of this user."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            outcome: tuple[bool, Any]
            try:
                os.setgroups([])
                os.setresgid(self.gid, self.gid, self.gid)
                os.setresuid(self.uid, self.uid, self.uid)
                os.environ["HOME"] = "/"  # ours is closed to this user
                outcome = True, function()
            except BaseException as error:
                outcome = False, error
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(outcome, pipe)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            is_ok, value = pickle.load(pipe)
        os.waitpid(child, 0)
        if is_ok:
            return value
        raise value


@pytest.fixture(autouse=True)
def _no_folders_of_dvc(monkeypatch: pytest.MonkeyPatch) -> None:
    """DVC uses its own folders, whatever the fixtures of other tests have set for their session."""
    for name in ("SYSTEM_CONFIG", "GLOBAL_CONFIG", "SITE_CACHE"):
        monkeypatch.delenv(f"DVC_{name}_DIR", raising=False)


@pytest.fixture(scope="session")
def stranger() -> Iterator[Stranger]:
    """A system user made for these tests; only root can make one."""
    if os.geteuid() != 0:
        pytest.skip("only root can create a second user of the system")
    if not shutil.which("useradd"):
        pytest.skip("useradd is not installed")
    name = f"stranger-{secrets.token_hex(4)}"
    subprocess.run(["useradd", "--system", "--no-create-home", name], check=True)
    try:
        uid, gid = (
            int(subprocess.check_output(["id", flag, name], text=True)) for flag in ("-u", "-g")
        )
        yield Stranger(name, uid, gid)
    finally:
        subprocess.run(["userdel", name], check=True)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can enter, unlike the folders of `tmp_path`."""
    folder = Path(tempfile.mkdtemp(prefix="dvc-bucket-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
