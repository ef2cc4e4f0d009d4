"""`make` takes no packages and no Python from the environment that calls it."""

import os
import subprocess
from pathlib import Path

import pytest

from dvc_bucket.base import surroundings
from tests.end_to_end.clones import REPOSITORY


@pytest.mark.parametrize("makefile", ["Makefile", "toolkit/Makefile"])
def test_make_unsets_what_leads_elsewhere(tmp_path: Path, makefile: str) -> None:
    asked = tmp_path / "Makefile"
    asked.write_text(f"include {REPOSITORY / makefile}\nasked: ; @env\n")
    names = [*surroundings.REDIRECTING, "VIRTUAL_ENV", "CONDA_PREFIX"]
    names = [name for name in names if makefile == "Makefile" or not name.startswith("PIP_")]
    elsewhere = dict.fromkeys([*names, "PYTHONPATH"], "/nowhere")
    done = subprocess.run(
        ["make", "-s", "asked"],
        cwd=tmp_path,
        env=os.environ | elsewhere,
        capture_output=True,
        text=True,
        check=True,
    )
    told = dict(line.partition("=")[::2] for line in done.stdout.splitlines() if "=" in line)
    assert not told.keys() & elsewhere.keys()
    assert (told["PYTHONUTF8"], told["PYTHONNOUSERSITE"]) == ("1", "1")


@pytest.mark.parametrize("makefile", ["Makefile", "toolkit/Makefile"])
def test_bash_starts_the_commands_and_reads_no_start_file(tmp_path: Path, makefile: str) -> None:
    """Apple's make 3.81 finds the tools of `.venv` only by a shell that is not /bin/sh."""
    asked = tmp_path / "Makefile"
    asked.write_text(f"include {REPOSITORY / makefile}\nasked: ; @echo $(SHELL) $$BASH_VERSION\n")
    (tmp_path / "start").write_text("exit 7\n")
    done = subprocess.run(
        ["make", "-s", "asked"],
        cwd=tmp_path,
        env=os.environ | {"BASH_ENV": str(tmp_path / "start")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[0] == "/bin/bash"
    assert len(done.stdout.split()) == 2
