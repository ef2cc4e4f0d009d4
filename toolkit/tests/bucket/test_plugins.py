"""Distributions that add to the toolkit, installed for real, whole and broken; docs/plugins.md."""

import json
from pathlib import Path

import pytest

from dvc_bucket import Project
from dvc_bucket.plugin import CHECKS, COMMANDS, COMPARERS
from tests.bucket.git_tools import TOOLS
from tests.bucket.plugin_tools import (
    CHECK,
    GROUPS,
    Doctor,
    commands,
    install,
    run,
)
from tests.check.small import make, script, stage


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
        ("run = 3", "broken:run", "int is neither a function nor a typer.Typer"),
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
    assert pull.endswith("the toolkit or another distribution already uses this name")
    assert "`quota`" in quota
    assert quota.endswith("the toolkit or another distribution already uses this name")
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
    assert checks["raises"]["found"] == "the check itself failed: KeyError"
    assert status == 1
    said = [line.partition(" skipped: ")[2] for line in stderr.splitlines()]
    assert said == [
        f"another check has the name {title}",
        "its `requires` is not a tuple of checks",
        "its `name` is not a text",
        "it is not a subclass of Check",
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
    assert number.endswith("str is not a function")
    assert taken.endswith("the toolkit or another distribution already uses this name")
