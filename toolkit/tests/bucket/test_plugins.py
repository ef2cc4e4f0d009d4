"""Distributions that add to the toolkit, installed for real, whole and broken; docs/plugins.md."""

import json
import os
import re
import subprocess
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from dvc_bucket import Project
from dvc_bucket.connection import entry_points
from dvc_bucket.plugin import CHECKS, COMMANDS, COMPARERS
from tests import TESTS_ROOT
from tests.bucket.git_tools import TOOLS, environment
from tests.check.small import make, script, stage

PAGE = (TESTS_ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```\w+ (\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
GROUPS: dict[str, dict[str, str]] = tomllib.loads(BLOCKS["pyproject"])["project"]["entry-points"]

#: A program that lists the commands of plugins.
LIST_COMMANDS = """
import json, sys
from dvc_bucket import plugin
name, *taken = sys.argv[1:]
found = [name for name, _ in plugin.commands(name or None, taken)]
print(json.dumps([found, sorted(set(sys.modules) & {"lab_tools", "other", "typer", "dvc"})]))
"""

CHECK = """
from dvc_bucket.plugin import Check

class {name}(Check):
    "It is needed."
    name, fix, requires = "{title}", "Mend it.", ({requires})

    @staticmethod
    def check(patient):
        {body}
"""


def install(
    folder: Path,
    module: str,
    code: str,
    groups: Mapping[str, Mapping[str, str]],
    version: str = "1.0",
) -> Path:
    """Install a distribution of one module, as pip leaves it."""
    metadata = folder / f"{module}-{version}.dist-info"
    metadata.mkdir(parents=True)
    name = module.replace("_", "-")
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = []
    for group, points in groups.items():
        lines += [f"[{group}]", *(f"{point} = {value}" for point, value in points.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
    (folder / f"{module}.py").write_text(code)
    return folder


def run(
    root: Path, packages: Path | str, *command: str | Path
) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        command,
        cwd=root,
        env=environment() | {"PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    print(done.stdout + done.stderr)
    return done


def commands(root: Path, packages: Path | str, *names: str) -> tuple[list[str], list[str], str]:
    """Names of the commands, which of some modules are loaded, and stderr."""
    done = run(root, packages, TOOLS / "python", "-P", "-c", LIST_COMMANDS, *(names or ("",)))
    assert done.returncode == 0
    found, modules = json.loads(done.stdout)
    return found, modules, done.stderr


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """The example of the page, installed."""
    return install(tmp_path / "packages", "lab_tools", BLOCKS["lab_tools"], GROUPS)


@pytest.fixture
def doctor(store: Project) -> Callable[[Path], tuple[dict[str, dict[str, str]], str, int]]:
    """`bucket doctor` with packages: the checks by name, in their order, stderr, exit status."""

    def call(packages: Path) -> tuple[dict[str, dict[str, str]], str, int]:
        done = run(store.root, packages, TOOLS / "bucket", "doctor", "--read-only", "--json")
        checks: list[dict[str, Any]] = json.loads(done.stdout)["checks"]
        return {check["name"]: check for check in checks}, done.stderr, done.returncode

    return call


Doctor = Callable[[Path], tuple[dict[str, dict[str, str]], str, int]]


def test_the_page_names_the_groups() -> None:
    assert set(GROUPS) == {CHECKS, COMPARERS, COMMANDS}


def test_the_doctor_makes_the_check_of_the_page(doctor: Doctor, lab: Path) -> None:
    checks, stderr, _ = doctor(lab)
    *_, last = checks.values()
    assert (last["name"], last["status"]) == ("lab's store", "warning")
    assert last["found"].startswith("the endpoint is http://127.0.0.1:")
    assert last["fix"] == "Set OS_ENDPOINT_URL=https://s3.lab.example in .env."
    assert stderr == ""


def test_check_compares_a_file_in_the_words_of_the_page(lab: Path, tmp_path: Path) -> None:
    body = "import os\n\nsteps = os.environ.get('STEPS', '10')\n"
    body += "write('run.ini', f'[solver]\\nsteps = {steps}\\n')"
    files = {"src/run.py": script(body)}
    stages = make(tmp_path / "clone", files, {"run": stage("run", outs=["run.ini"])})
    stages.commit()
    words = ("--here", "--no-causes", "--json")
    done = stages.check(*words, STEPS="12", PYTHONPATH=str(lab))
    assert done.returncode == 1
    [output] = json.loads(done.stdout)["outputs"]
    assert output["verdict"] == "differs"
    assert "solver.steps: 10 became 12" in output["detail"]


def test_the_command_of_the_page_is_found_and_loaded_alone(lab: Path, project: Project) -> None:
    install(lab, "other", "def run(): pass", {COMMANDS: {"other": "other:run"}})
    assert commands(project.root, lab)[0] == ["quota", "other"]
    assert commands(project.root, lab, "quota") == (["quota"], ["lab_tools", "typer"], "")
    assert commands(project.root, lab, "nothing") == ([], [], "")


@pytest.mark.parametrize(
    ("code", "value", "reason"),
    [
        ("import nothing_of_that_name", "broken:run", "ModuleNotFoundError: No module named"),
        ("1 / 0", "broken:run", "ZeroDivisionError: division by zero"),
        ("raise SystemExit('bye')", "broken:run", "SystemExit: bye"),
        ("raise ValueError('two\\nlines \\x1b[2J')", "broken:run", r"two lines \x1b[2J"),
        ("run = 3", "broken:run", "int is no function and no typer.Typer"),
        ("", "broken:run", "AttributeError"),
        ("", "no value at all", "AttributeError"),
    ],
)
def test_a_broken_command_is_one_line(
    code: str, value: str, reason: str, lab: Path, project: Project
) -> None:
    install(lab, "broken", code, {COMMANDS: {"broken": value}}, version="2.5")
    found, _, stderr = commands(project.root, lab)
    assert found == ["quota"]
    [line] = stderr.splitlines()
    assert line.startswith(
        "bucket: entry point `broken` (dvc_bucket.commands) of broken 2.5 skipped: "
    )
    assert reason in line


def test_a_command_that_is_there_already_stays(lab: Path, project: Project) -> None:
    points = {"pull": "other:run", "quota": "other:run", "--help": "other:run"}
    install(lab, "other", "def run(): pass", {COMMANDS: points})
    found, _, stderr = commands(project.root, lab, "", "pull")
    assert found == ["quota"]
    pull, quota, help_ = stderr.splitlines()
    assert "`pull`" in pull
    assert pull.endswith("the toolkit or another distribution has this name already")
    assert "`quota`" in quota
    assert quota.endswith("the toolkit or another distribution has this name already")
    assert help_.endswith("a command's name has letters, digits and hyphens")


def test_what_a_plugin_prints_as_it_is_imported_is_no_output(doctor: Doctor, lab: Path) -> None:
    code = "print('hello')\n" + CHECK.format(name="Tea", title="tea", requires="", body="return 1")
    install(lab, "noisy", code, {CHECKS: {"tea": "noisy:Tea"}})
    checks, stderr, _ = doctor(lab)
    assert (checks["tea"]["status"], checks["tea"]["found"]) == ("ok", "1")
    assert stderr == "hello\n"


def test_metadata_that_cannot_be_read_is_one_line(lab: Path, project: Project) -> None:
    install(lab, "broken", "", {COMMANDS: {"broken": "broken:run"}})
    metadata = lab / "broken-1.0.dist-info"
    (metadata / "METADATA").write_bytes(b"Name: \xff\xfe\n")
    found, _, stderr = commands(project.root, lab)
    assert found == ["quota"]
    [line] = stderr.splitlines()
    assert f"entry points of {metadata} skipped: UnicodeDecodeError" in line


def test_broken_checks_do_not_end_the_doctor(doctor: Doctor, lab: Path, tmp_path: Path) -> None:
    before = doctor(tmp_path / "nothing")
    classes = [
        CHECK.format(name="Same", title="bucket name", requires="", body="return 'ok'"),
        CHECK.format(name="Late", title="late", requires="Early,", body="return 'ok'"),
        CHECK.format(name="Needs", title="needs", requires="3,", body="return 'ok'"),
        CHECK.format(name="Raises", title="raises", requires="", body="raise KeyError('x')"),
        "class Nameless(Check): pass",
        "class Foreign: name = fix = 'x'",
    ]
    early = CHECK.format(name="Early", title="early", requires="", body="raise KeyError('x')")
    title = next(iter(before[0]))
    code = early + "\n".join(classes).replace("bucket name", title) + "\n"
    names = ("Same", "Late", "Early", "Needs", "Raises", "Nameless", "Foreign")
    install(lab, "more_tools", code, {CHECKS: {name: f"more_tools:{name}" for name in names}})
    checks, stderr, status = doctor(lab)
    added = list(checks)[len(before[0]) :]
    assert added == ["lab's store", "early", "late", "raises"]
    assert checks["late"]["found"] == "needs: early"
    assert checks["raises"]["found"] == "the check itself broke: KeyError"
    assert status == 1
    said = [line.partition(" skipped: ")[2] for line in stderr.splitlines()]
    assert said == [
        f"there is a check named {title} already",
        "its `requires` is no tuple of checks",
        "its `name` is no text",
        "it is no subclass of Check",
    ]


#: Compares pairs of files that are named by their endings.
COMPARE = """
import sys
from pathlib import Path
from dvc_bucket.jobs.check.differences import compare
for ending in sys.argv[1:]:
    one, other = Path("one" + ending), Path("other" + ending)
    one.write_text("a,b\\n1,2\\n")
    other.write_text("a,b\\n1,3\\n")
    print(compare(one, other).text)
"""


def test_a_broken_comparer_leaves_the_bytes_to_compare(lab: Path, project: Project) -> None:
    code = "def fails(recorded, found, limits): raise KeyError('x')\n"
    code += "def wrong(recorded, found, limits): return 'a text'\n"
    code += "def none(recorded, found, limits): return None\n"
    points = {".fails": "odd:fails", ".wrong": "odd:wrong", ".none": "odd:none"}
    points |= {".csv": "odd:fails", ".number": "odd:__name__"}
    install(lab, "odd", code, {COMPARERS: points})
    endings = (".fails", ".wrong", ".none", ".number", ".csv", ".csv")
    done = run(project.root, lab, TOOLS / "python", "-P", "-c", COMPARE, *endings)
    *plain, csv, again = done.stdout.splitlines()
    assert {line.partition(";")[0] for line in plain} == {"8 bytes"}
    assert len(plain) == 4
    assert csv == again == "column b, row 1: 2 became 3; 1 of 1 rows differ"
    fails, wrong, number, taken = done.stderr.splitlines()
    assert "cannot compare one.fails, so its bytes are compared: KeyError: 'x'" in fails
    assert wrong.endswith("it returned str")
    assert number.endswith("str is no function")
    assert taken.endswith("the toolkit or another distribution has this name already")


def test_metadata_in_the_project_is_not_read(project: Project, tmp_path: Path, lab: Path) -> None:
    code = "from pathlib import Path\nPath('ran').touch()\ndef run(): pass"
    points = {COMMANDS: {"evil": "evil:run"}}
    for folder in (project.root, project.root / "data"):
        install(folder, "evil", code, points)
        packages = os.pathsep.join([str(folder), str(lab)])
        assert commands(project.root, packages)[0] == ["quota"]
    assert not (project.root / "ran").exists()
    # Outside the project it is a plugin like others.
    install(tmp_path / "elsewhere", "evil", code, points)
    assert commands(project.root, tmp_path / "elsewhere")[0] == ["evil"]


def test_the_environment_of_the_project_is_searched(project: Project, lab: Path) -> None:
    """The usual `.venv` lies in the project."""
    venv = project.root / ".venv"
    run(project.root, "", TOOLS / "python", "-m", "venv", "--without-pip", venv)
    [site] = venv.glob("lib/python*/site-packages")
    for path in lab.iterdir():
        path.rename(site / path.name)
    toolkit = os.pathsep.join([str(TESTS_ROOT / "src"), *_site_packages()])
    done = run(project.root, toolkit, venv / "bin" / "python", "-P", "-c", LIST_COMMANDS, "")
    assert json.loads(done.stdout)[0] == ["quota"]


def _site_packages() -> list[str]:
    """Where the packages of the tests are."""
    return [str(path) for path in TOOLS.parent.glob("lib/python*/site-packages")]


def test_an_older_version_behind_is_not_loaded(project: Project, lab: Path, tmp_path: Path) -> None:
    old = install(tmp_path / "old", "lab_tools", "1 / 0", GROUPS, version="0.9")
    found, _, stderr = commands(project.root, os.pathsep.join([str(lab), str(old)]))
    assert (found, stderr) == (["quota"], "")


def test_a_group_without_plugins_costs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(entry_points.load("dvc_bucket.nothing", lambda *_: None)) == []
    assert capsys.readouterr().err == ""
