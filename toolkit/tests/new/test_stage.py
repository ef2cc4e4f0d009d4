"""A new stage runs at once, has a green test, and changes nothing else."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dvc_bucket.base.errors import NewError
from dvc_bucket.base.files import all_written
from dvc_bucket.dvc.patched import yaml
from dvc_bucket.dvc.snapshot import Snapshot
from dvc_bucket.jobs.new import yaml_text
from dvc_bucket.jobs.new.layout import Kind, Layout
from dvc_bucket.jobs.new.stage import NAME, StageRequest, new_stage
from dvc_bucket.jobs.new.texts import StageTexts
from tests import TESTS_ROOT
from tests.bucket.git_tools import TOOLS
from tests.new.growing import ON_PATH, Growing, make

#: Kinds, each with its program; R is not everywhere.
KINDS = {"python": "python", "shell": "sh", "r": "Rscript", "notebook": "bucket"}

KEYS = ("deps", "outs", "params", "kind")
STAGE = ("--deps", "data/interim/levels.csv", "--outs", "data/interim/smooth.csv")


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Growing:
    """A project with a new stage of each kind that can run here."""
    project = make(tmp_path_factory.mktemp("grown") / "river")
    project.write("data/raw/gauges/one.csv", "1,2\n")
    for kind, program in KINDS.items():
        if shutil.which(program):
            outs = f"data/interim/{kind}.csv,data/interim/of {kind}"
            outs += ",reports/levels.ipynb" if kind == "notebook" else ""
            options = ("--deps", "data/interim/levels.csv,data/raw/gauges", "--outs", outs)
            params = ("--params", "window=3", "--params", "name=a b", "--params", "days")
            project.bucket("new", "stage", f"try_{kind}", "--kind", kind, *options, *params)
    return project


@pytest.fixture
def river(tmp_path: Path) -> Growing:
    return make(tmp_path / "river")


def test_a_new_stage_of_any_kind_runs_and_copies_its_inputs(grown: Growing) -> None:
    grown.dvc("repro")
    for kind, program in KINDS.items():
        if shutil.which(program):
            levels = grown.text("data/interim/levels.csv")
            assert grown.text(f"data/interim/{kind}.csv") == levels
            assert grown.text(f"data/interim/of {kind}/one.csv") == "1,2\n"
    assert not Snapshot.at(grown.project).stale()


def test_the_tests_of_new_stages_are_green_and_in_good_style(grown: Growing) -> None:
    grown.pytest("tests")
    folders = ("--config", TESTS_ROOT / "pyproject.toml", "scripts", "tests")
    for words in (["check"], ["format", "--check"]):
        grown.run(TOOLS / "ruff", *words, *folders)


def test_only_lines_were_added(grown: Growing) -> None:
    diff = grown.git("diff", "--numstat", "--", "dvc.yaml", "params.yaml").stdout.split()
    assert diff[1::3] == ["0", "0"]


def test_the_cells_of_a_notebook_copy_what_its_first_cell_names(
    grown: Growing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = Layout("notebooks/try.ipynb", "tests/test_try.py")
    paths = (["data/raw/gauges", "data/in.csv"], ["data/out", "data/out.csv"])
    notebook = json.loads(StageTexts("try", "notebook", place, *paths, {"window": 3}, []).script())
    (tmp_path / "notebooks").mkdir()
    shutil.copytree(grown.root / "data/raw", tmp_path / "data/raw")
    (tmp_path / "data/in.csv").write_text("4\n")
    monkeypatch.chdir(tmp_path / "notebooks")
    names: dict[str, Any] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert (tmp_path / "data/out/one.csv").read_text() == "1,2\n"
    assert (tmp_path / "data/out.csv").read_text() == "4\n"
    assert names["window"] == 3


def test_a_program_reads_what_was_written(river: Growing) -> None:
    done = river.bucket("new", "stage", "smooth", *STAGE, "--params", "window=3", "--json")
    assert json.loads(done.stdout) == {
        "name": "smooth",
        "script": "scripts/smooth.py",
        "test": "tests/test_smooth.py",
        "changed": ["params.yaml", "dvc.yaml"],
    }


MODELS = '''\
"""The parameters."""

from dvc_bucket.stages import Params


class Days(Params):
    """How many."""

    number: int
'''


def test_in_a_package_the_parameters_have_their_model_beside_the_others(river: Growing) -> None:
    river.git("rm", "-q", "dvc.yaml")
    river.write("src/gauges/__init__.py", "")
    river.write("src/gauges/params.py", MODELS)
    river.write("data/raw/levels.csv", "1\n")
    options = ("--deps", "data/raw/levels.csv", "--outs", "data/levels.csv")
    river.bucket("new", "stage", "smooth_out", *options, "--params", "window=3")
    assert river.text("src/gauges/params.py").startswith(MODELS)
    assert "class SmoothOut(Params):" in river.text("src/gauges/params.py")
    assert "from gauges.params import SmoothOut" in river.text("src/gauges/smooth_out.py")
    [stage] = Snapshot.at(river.project).stages
    code = ["src/gauges/smooth_out.py", "src/gauges/__init__.py", "src/gauges/params.py"]
    assert [dep.path for dep in stage.deps] == ["data/raw/levels.csv", *code]
    river.write("params.yaml", river.text("params.yaml").replace("window: 3", "window: wide"))
    failed = river.run(TOOLS / "dvc", "repro", check=False, env=ON_PATH)
    assert "params.yaml: smooth_out.window: " in failed.stderr
    river.write("params.yaml", river.text("params.yaml").replace("window: wide", "window: 3"))
    river.dvc("repro")
    assert river.text("data/levels.csv") == "1\n"
    river.pytest("tests")


def test_a_new_stage_names_the_packages_of_its_models_in_a_project_that_records_them(
    river: Growing,
) -> None:
    river.write("src/gauges/__init__.py", "")
    river.write("src/gauges/params.py", f"import pydantic\nimport tomlkit\n{MODELS}")
    river.write("scripts/levels.py", "")
    river.git("mv", "--force", "scripts/levels.py", "src/gauges/levels.py")
    river.write("dvc.yaml", river.text("dvc.yaml").replace("scripts/", "src/gauges/"))
    river.write("requirements.lock", "pydantic==2.0\ntomlkit==0.10\n")
    river.write("packages.yaml", '# versions\npydantic: "2.0"\n')
    river.bucket("new", "stage", "smooth_out", *STAGE, "--params", "window=3")
    entry = (
        "    params:\n      - smooth_out\n      - packages.yaml: [pydantic, tomlkit]\n    outs:\n"
    )
    assert entry in river.text("dvc.yaml")
    assert river.text("packages.yaml").endswith('\npydantic: "2.0"\ntomlkit: "0.10"\n')
    [stage] = [one for one in Snapshot.at(river.project).stages if one.name == "smooth_out"]
    assert dict(stage.params["packages.yaml"].current) == {"pydantic": "2.0", "tomlkit": "0.10"}
    # One without parameters imports nothing of the project.
    river.bucket("new", "stage", "plain", "--deps", "params.yaml", "--outs", "out.txt")
    assert "packages.yaml" not in river.text("dvc.yaml").partition("plain:")[2]


REFUSALS = [
    # name, options, words of the message
    ("levels", STAGE, "has a stage levels already"),
    ("days", STAGE, "has a section days already"),
    ("taken", STAGE, "scripts/taken.py exists already"),
    ("tested", STAGE, "tests/test_tested.py exists already"),
    ("statistics", STAGE, "the name of a Python module or of an installed package"),
    ("pandas", STAGE, "the name of a Python module or of an installed package"),
    ("new", ("--deps", "no.csv", "--outs", "a.csv"), "the file does not exist"),
    ("new", ("--deps", "../no.csv", "--outs", "a.csv"), "leads out of its folder"),
    ("new", ("--deps", "params.yaml", "--outs", "a${b}.csv"), "--outs 'a${b}.csv'"),
    ("new", ("--deps", "params.yaml", "--outs", "data/interim"), "levels has the output"),
    ("new", ("--deps", "params.yaml", "--outs", "README.md"), "exists already, and DVC deletes"),
    ("new", ("--deps", "data", "--outs", "data/a.csv"), "one contains the other"),
    ("new", ("--deps", "data/interim/levels.csv", "--outs", "early.csv"), "DVC refuses the stage"),
    ("new", (*STAGE, "--params", "weeks"), "params.yaml has no weeks"),
    ("new", (*STAGE, "--params", "import=3"), "--params import"),
    ("new", (*STAGE, "--params", "a=[1"), "the value is not YAML"),
    ("new", (*STAGE, "--params", "a=[1]", "--kind", "shell"), "single values only"),
]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Growing]:
    """A project with files in the way, and a stage that waits for another's output."""
    project = make(tmp_path_factory.mktemp("full") / "river")
    project.write("scripts/taken.py", "mine\n")
    project.write("tests/test_tested.py", "mine\n")
    flow = project.text("dvc.yaml").replace("deps: [scripts/levels.py]", "deps: [early.csv]")
    project.write("dvc.yaml", flow)
    before = {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()}
    yield project
    after = {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()}
    assert {path for path in after if ".dvc/" not in str(path)} == {
        path for path in before if ".dvc/" not in str(path)
    }
    assert all(after[path] == before[path] for path in before)


def wanted(name: str, options: tuple[str, ...]) -> StageRequest:
    """What the command line makes of these words."""
    pairs = list(zip(options[::2], options[1::2], strict=True))
    values = {key: [value for other, value in pairs if other == f"--{key}"] for key in KEYS}
    kind: Kind = "shell" if values.pop("kind") else "python"
    return StageRequest(name, kind=kind, **values)


@pytest.mark.parametrize(("name", "options", "words"), REFUSALS)
def test_a_name_that_is_taken_or_an_input_that_is_not_there_is_refused(
    full: Growing, name: str, options: tuple[str, ...], words: str
) -> None:
    with pytest.raises(NewError, match=re.escape(words)) as error:
        new_stage(full.project, wanted(name, options))
    assert "\n" not in str(error.value)


def test_a_refusal_is_one_sentence_and_status_1(full: Growing) -> None:
    before = full.changes
    done = full.bucket("new", "stage", "levels", *STAGE, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("bucket: dvc.yaml has a stage levels already.")
    assert full.changes == before


@pytest.mark.parametrize("name", ["Smooth", "1st", "a-b", "a b", "../a", ""])
def test_a_word_that_is_no_name_is_wrong_usage(full: Growing, name: str) -> None:
    assert not NAME.fullmatch(name)
    if name == "../a":
        assert full.bucket("new", "stage", name, *STAGE, check=False).returncode == 2


def test_what_a_killed_run_left_is_no_obstacle(river: Growing) -> None:
    before = river.text("dvc.yaml")
    river.bucket("new", "stage", "smooth", *STAGE)
    after = river.text("dvc.yaml")
    river.write("dvc.yaml", before)  # killed before the last file
    river.bucket("new", "stage", "smooth", *STAGE)
    assert river.text("dvc.yaml") == after


def test_files_are_written_together_or_not_at_all(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "folder" / "new"
    old.write_text("one")
    old.chmod(0o640)
    with suppress(ValueError), all_written({new: "x", old: "two"}):
        assert (new.read_text(), old.read_text()) == ("x", "two")
        raise ValueError
    assert (old.read_text(), old.stat().st_mode & 0o777) == ("one", 0o640)
    assert not new.parent.exists()


ENTRY = "new:\n  cmd: echo\n  deps:\n    - in.txt\n"

#: Files, and what comes out where an entry is put into `stages`.
LAYOUTS = {
    "": "stages:\n  new:\n    cmd: echo\n    deps:\n      - in.txt\n",
    "# only a comment": (
        "# only a comment\n\nstages:\n  new:\n    cmd: echo\n    deps:\n      - in.txt\n"
    ),
    "stages:\n  a:\n    cmd: true # why\n\n# of metrics\nmetrics: [m.json]\n": (
        "stages:\n  a:\n    cmd: true # why\n\n  new:\n    cmd: echo\n    deps:\n      - in.txt\n\n"
        "# of metrics\nmetrics: [m.json]\n"
    ),
    "stages:\n    b:\n        cmd: >-\n            x\n            y\n    a: {cmd: z}\n    # end": (
        "stages:\n    b:\n        cmd: >-\n            x\n            y\n    a: {cmd: z}\n"
        "    # end\n    new:\n      cmd: echo\n      deps:\n        - in.txt\n"
    ),
    "vars: [{a: 1}]\nstages:\nplots: []\n": (
        "vars: [{a: 1}]\nstages:\n  new:\n    cmd: echo\n    deps:\n      - in.txt\nplots: []\n"
    ),
}


@pytest.mark.parametrize("before", LAYOUTS)
def test_an_entry_is_put_into_a_file_whose_other_lines_stay(before: str) -> None:
    assert yaml_text.with_entry(before, "dvc.yaml", "stages", ENTRY) == LAYOUTS[before]


@pytest.mark.parametrize("before", ["stages: {}\n", "{stages: {a: {cmd: x}}}\n", "stages: {a: 1}"])
def test_an_entry_comes_into_a_mapping_in_braces(before: str) -> None:
    after = yaml.loaded(yaml_text.with_entry(before, "dvc.yaml", "stages", ENTRY))
    old = yaml.loaded(before)["stages"]
    assert after == {"stages": {**old, "new": {"cmd": "echo", "deps": ["in.txt"]}}}
