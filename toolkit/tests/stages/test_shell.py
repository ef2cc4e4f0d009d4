"""What a person sees of a stage that runs as a command line program."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dvc_bucket.base.kernels import AVX2, pins
from tests.stages.stage_tools import SmallProject, one_line_failure

#: A program that meets the fault which its argument names.
FAULTY = '''\
"""What this program does."""

from pathlib import Path

from dvc_bucket.base.errors import SettingsError
from dvc_bucket.stages import run_program

FAULTS = {
    "toolkit": SettingsError("OS_BUCKET_NAME is not set."),
    "program": ValueError("a fault of the program"),
    "system": OSError("no file has to do with it"),
}


def main(fault: str, folder: Path = Path(".")) -> None:
    """Meet FAULT."""
    if fault in FAULTS:
        raise FAULTS[fault]
    (folder / fault).read_text()


if __name__ == "__main__":
    run_program(main)
'''


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    script = tmp_path / "faulty.py"
    script.write_text(FAULTY)
    return script


def run(script: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(script), *words]
    return subprocess.run(command, cwd=script.parent, capture_output=True, text=True, check=False)


def test_a_stage_without_its_input_names_it_and_leaves_nothing_behind(small: SmallProject) -> None:
    for file in small.source.iterdir():
        file.unlink()
    assert one_line_failure(small.run()) == f"scale_up: {small.source}: no tables there.\n"
    assert not small.output.exists()
    assert not small.unfinished.exists()


def test_a_failure_of_the_toolkit_is_one_line(faulty: Path) -> None:
    assert one_line_failure(run(faulty, "toolkit")) == "faulty: OS_BUCKET_NAME is not set.\n"


def test_a_file_that_is_missing_is_named(faulty: Path) -> None:
    said = one_line_failure(run(faulty, "gone.csv"))
    assert said == "faulty: gone.csv: no such file. `dvc repro` creates the outputs of stages.\n"


def test_a_file_that_the_system_does_not_give_is_named(faulty: Path) -> None:
    assert one_line_failure(run(faulty, ".")) == "faulty: .: Is a directory.\n"


@pytest.mark.parametrize("fault", ["program", "system"])
def test_a_fault_of_the_program_keeps_its_traceback(faulty: Path, fault: str) -> None:
    result = run(faulty, fault)
    assert result.returncode == 1
    assert "Traceback" in result.stderr


def test_wrong_usage_exits_2(faulty: Path) -> None:
    result = run(faulty)
    assert result.returncode == 2
    assert "Usage: faulty.py" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_help_is_the_modules_and_names_arguments_and_options(faulty: Path) -> None:
    result = run(faulty, "--help")
    assert result.returncode == 0
    for words in ("What this program does.", "fault", "--folder"):
        assert words in result.stdout


def test_a_stage_pins_the_kernels_that_nobody_has_pinned(small: SmallProject) -> None:
    if not pins({}):
        pytest.skip("this CPU lacks what the pins name")
    script = small.root / "kernels.py"
    script.write_text(
        "from dvc_bucket import kernel_variables\nfrom dvc_bucket.stages import run_stage\n\n\n"
        "def main() -> None:\n    print(kernel_variables())\n\n\nrun_stage(main)\n"
    )
    bare = {name: value for name, value in os.environ.items() if name not in AVX2}
    done = subprocess.run(
        [sys.executable, script], env=bare, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{AVX2}\n"
