"""A stage imports the modules of the copy that it is in, whatever else is on the path."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """\
import sys
from pathlib import Path

from dvc_bucket.stages import run_program

from gauges.unit import UNIT


def main(output: Path) -> None:
    output.write_text(UNIT)


if __name__ == "__main__":
    run_program(main)
"""


def write_copy(root: Path, unit: str) -> Path:
    """A copy of a project with a package, and its script."""
    package = root / "src" / "gauges"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "unit.py").write_text(f"UNIT = {unit!r}\n")
    (package / "level.py").write_text(SCRIPT)
    return package / "level.py"


def run(script: Path, output: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(script), str(output)]
    env = os.environ | changes
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_a_script_imports_the_modules_of_its_own_copy(tmp_path: Path) -> None:
    """As in an experiment's copy, while the path leads to the live workspace."""
    live = write_copy(tmp_path / "live", "metres").parents[1]
    script = write_copy(tmp_path / "copy", "feet")
    for path in ("", str(live)):
        done = run(script, tmp_path / "unit.txt", PYTHONPATH=path)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "unit.txt").read_text() == "feet"


def test_so_do_the_programs_that_it_starts(tmp_path: Path) -> None:
    live = write_copy(tmp_path / "live", "metres").parents[1]
    script = write_copy(tmp_path / "copy", "feet")
    call = "import subprocess\n\n" + SCRIPT.replace(
        "output.write_text(UNIT)",
        'subprocess.run([sys.executable, "-c", "import gauges.unit as u; print(u.UNIT)"])',
    )
    script.write_text(call)
    done = run(script, tmp_path / "unit.txt", PYTHONPATH=str(live))
    assert done.stdout == "feet\n"


def test_a_package_that_was_imported_from_elsewhere_is_refused(tmp_path: Path) -> None:
    live = write_copy(tmp_path / "live", "metres").parents[1]
    script = write_copy(tmp_path / "copy", "feet")
    script.write_text("import gauges.unit\n" + SCRIPT)
    done = run(script, tmp_path / "unit.txt", PYTHONPATH=str(live))
    assert done.returncode == 1
    assert done.stderr.startswith("level: gauges was imported from ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "unit.txt").exists()


def test_a_module_that_python_runs_keeps_the_path_of_python(tmp_path: Path) -> None:
    script = write_copy(tmp_path, "metres")
    script.write_text(
        "import sys\nbefore = [*sys.path]\nimport dvc_bucket.stages\nprint(before == sys.path)\n"
    )
    command = [sys.executable, "-m", "gauges.level"]
    done = subprocess.run(command, cwd=tmp_path / "src", capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
