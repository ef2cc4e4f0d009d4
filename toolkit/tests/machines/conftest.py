"""What tests of machines share."""

import shutil
import subprocess
from typing import Any

import pytest

from dvc_bucket import Project
from tests.machines.labs import make_lab
from tests.machines.machine import Machine


@pytest.fixture(scope="session")
def latin1(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder, name = tmp_path_factory.mktemp("locales"), "en_US.ISO-8859-1"
    command = ["localedef", "-i", "en_US", "-f", "ISO-8859-1", str(folder / name)]
    if not shutil.which("localedef") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("localedef makes no Latin-1 locale here")
    return {"LOCPATH": str(folder), "LC_ALL": name}


@pytest.fixture(scope="session")
def lab(store: Project, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A pushed project with two commits, v1 and v2, whose data differs; nothing writes to it."""
    return make_lab(tmp_path_factory.mktemp("clones") / "lab", store)
