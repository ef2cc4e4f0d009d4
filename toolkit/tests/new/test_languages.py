"""A stage of each language, made as docs/languages.md says: it depends on its packages or tools."""

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dvc_bucket.base import foreign_packages, packages
from dvc_bucket.base.errors import PackagesError, ProjectError, StageError
from dvc_bucket.cli.app import app
from dvc_bucket.dvc.packages import refuse
from dvc_bucket.dvc.snapshot import Snapshot
from dvc_bucket.jobs import env
from dvc_bucket.jobs.doctor.check import Warn
from dvc_bucket.jobs.doctor.packages import VersionsOfPackages
from dvc_bucket.jobs.doctor.patient import Patient
from dvc_bucket.jobs.env.declare import declare
from dvc_bucket.jobs.notebook import execution
from dvc_bucket.jobs.notebook.execution import NotebookRun
from dvc_bucket.stages.declared import runners, versions
from dvc_bucket.testing import stage_faults
from tests import TESTS_ROOT
from tests.new.growing import Growing, make

PAGE = (TESTS_ROOT / "docs" / "languages.md").read_text()

#: The page's commands, and what it shows of dvc.yaml after each.
EXAMPLES = dict(
    re.findall(r"```sh\n(bucket new stage .*?)\n```\n\n```yaml\n(.*?)```", PAGE, re.DOTALL)
)

NOTEBOOK = Path("notebooks/tides.ipynb")

#: By name of the page's stage, what it depends on.
DEPENDS = {"peaks": "R", "tides": "ipykernel", "ordered": "tool/sort"}

NO_R = "Rscript is not installed (tests/machines/packages installs it, on Debian)"


def word(command: str) -> int:
    """Run `bucket` in this process and folder, which takes a tenth of the time; its status."""
    done = CliRunner().invoke(app, shlex.split(command)[1:])
    print(f"$ {command}\n{done.output}")
    return done.exit_code


def can_run(command: str) -> bool:
    return "--kind r " not in command or bool(shutil.which("Rscript"))


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Growing:
    """A project with the page's stages, which have run."""
    project = make(tmp_path_factory.mktemp("languages") / "river")
    pins = [f"{name}=={version(name)}\n" for name in runners.RUNNERS]
    project.write("requirements.lock", "".join(pins))
    project.write("packages.yaml", packages.text_of({}))
    (project.root / "src/pipeline").mkdir(parents=True)
    project.git("mv", "scripts/levels.py", "src/pipeline/levels.py")
    project.write("dvc.yaml", project.text("dvc.yaml").replace("scripts/", "src/pipeline/"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.root)
        for command in filter(can_run, EXAMPLES):
            assert word(command) == 0
    project.dvc("repro", "--quiet")
    project.git("add", "--all")
    project.commit("--quiet", "--no-verify")
    return project


@pytest.fixture
def project(ran: Growing) -> Iterator[Growing]:
    yield ran
    ran.git("checkout", "--quiet", "--", ".")


def stages(project: Growing) -> list[str]:
    """The page's stages that could be made here."""
    return [stage.name for stage in Snapshot.at(project.project).stages if stage.name in DEPENDS]


def record(project: Growing, name: str, number: str) -> None:
    """Have packages.yaml record another version."""
    text = project.text("packages.yaml")
    changed = re.sub(rf'^{re.escape(name)}: ".*"$', f'{name}: "{number}"', text, flags=re.MULTILINE)
    assert changed != text
    project.write("packages.yaml", changed)


def test_the_page_has_an_example_of_each_language_as_the_command_makes_it(ran: Growing) -> None:
    assert [command.split()[3] for command in EXAMPLES] == list(DEPENDS)
    flow = ran.text("dvc.yaml")
    for entry in (text for command, text in EXAMPLES.items() if can_run(command)):
        assert entry in flow
    assert stage_faults(ran.root) == []


def test_each_stage_is_up_to_date_after_its_run(ran: Growing) -> None:
    assert not Snapshot.at(ran.project).stale()
    for name, text in {"peaks": "peaks.csv", "ordered": "ordered.csv"}.items():
        if name in stages(ran):
            assert ran.text(f"data/interim/{text}") == ran.text("data/interim/levels.csv")


def test_another_version_makes_just_its_stage_stale(project: Growing) -> None:
    before = project.text("packages.yaml")
    for name in stages(project):
        record(project, DEPENDS[name], "9.9")
        assert Snapshot.at(project.project).stale() == [name]
        project.write("packages.yaml", before)
    assert not Snapshot.at(project.project).stale()
    assert not versions.write(project.project)


def test_a_stage_does_not_run_with_another_version_and_the_fix_is_of_its_kind(
    project: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    fixes = {
        "peaks": "`renv::restore()` in R), or update packages.yaml from a changed renv.lock",
        "tides": "(`make setup`), or update packages.yaml from a changed lock file",
        "ordered": "Install that version of sort, or record the installed one (`bucket env --t",
    }
    before = project.text("packages.yaml")
    for name in stages(project):
        record(project, DEPENDS[name], "9.9")
        said = f"^{name} would run with {DEPENDS[name]} "
        with pytest.raises(PackagesError, match=said) as error:
            refuse(["repro", name])
        assert fixes[name] in str(error.value)
        assert "\n" not in str(error.value)
        project.write("packages.yaml", before)


def test_a_tool_keeps_its_version_until_somebody_records_another_one(
    project: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = project.text("packages.yaml")
    record(project, "tool/sort", "9.9")
    assert not versions.write(project.project)  # as `make lock` does
    with pytest.raises(Warn, match=r"tool/sort .* is installed, not 9\.9"):
        VersionsOfPackages.check(Patient(project.project))
    monkeypatch.chdir(project.root)
    assert word("bucket env --tools") == 0
    assert project.text("packages.yaml") == before


def test_a_tool_that_is_declared_is_named_and_the_reverse(project: Growing) -> None:
    flow = project.text("dvc.yaml")
    project.write("dvc.yaml", flow.replace("tools: [sort]", "tools: [sort, git]"))
    [fault] = stage_faults(project.root)
    assert "stage ordered depends on tool/git, which its params do not name" in fault
    assert declare(project.project) == ["ordered: tool/git, tool/sort"]
    assert re.search(r'^tool/git: "\d+\.\d+', project.text("packages.yaml"), re.MULTILINE)
    assert stage_faults(project.root) == []
    rows = {one.package: one.why for one in env.rows(project.project) if one.stage == "ordered"}
    assert rows["tool/git"] == "declared in dvc.yaml"
    declared = project.text("dvc.yaml")
    project.write("dvc.yaml", declared.replace("tools: [sort, git]", "tools: [git]"))
    [fault] = stage_faults(project.root)
    assert "stage ordered names tool/sort, which it does not declare" in fault
    project.git("checkout", "--quiet", "--", ".")
    project.write("dvc.yaml", flow.replace("tools: [sort]", "tools: sort --help"))
    [fault] = stage_faults(project.root)
    assert "stage ordered, meta.tools: 'sort --help' is not a list of Debian" in fault
    project.write("dvc.yaml", flow.replace("tools: [sort]", "tools: [sort, unheard-of]"))
    with pytest.raises(ProjectError, match="The version of unheard-of, on which a stage"):
        declare(project.project)


@pytest.mark.skipif(not shutil.which("Rscript"), reason=NO_R)
def test_a_package_that_a_script_in_r_uses_is_named_and_pinned_by_renv(project: Growing) -> None:
    script, lock = project.text("src/pipeline/peaks.R"), json.loads(project.text("renv.lock"))
    assert lock["R"]["Version"] == foreign_packages.installed(["R"], project.root)["R"]
    project.write("src/pipeline/peaks.R", f"library(data.table)\n{script}")
    [fault] = stage_faults(project.root)
    assert "stage peaks depends on R/data-table, which its params do not name" in fault
    with pytest.raises(ProjectError, match=r"peaks: renv.lock pins no version of R/data-table"):
        declare(project.project)
    lock["Packages"] = {"data.table": {"Package": "data.table", "Version": "1.14.8"}}
    project.write("renv.lock", json.dumps(lock))
    assert declare(project.project) == ["peaks: R, R/data-table"]
    assert 'R/data-table: "1.14.8"\n' in project.text("packages.yaml")
    assert stage_faults(project.root) == []
    assert {"R", "R/data-table"} <= {one.package for one in env.rows(project.project)}
    project.write("renv.lock", "{}")
    [fault] = stage_faults(project.root)
    assert fault.startswith("renv.lock does not have the form that renv writes")


def change(project: Growing, *lines: str) -> None:
    """Have the last cell of the notebook be these lines."""
    notebook = json.loads(project.text("notebooks/tides.ipynb"))
    notebook["cells"][-1]["source"] = "\n".join(lines)
    project.write("notebooks/tides.ipynb", json.dumps(notebook))


def test_a_notebook_makes_the_same_bytes_each_time(
    project: Growing,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(project.root)
    project.write("notebooks/helper.py", "def shown():\n    return object()\n")
    printing = "import sys, helper\nprint(days + 1)\nprint('x', file=sys.stderr)"
    change(project, printing, "helper.shown()")
    texts = []
    for name in ("one", "two"):
        out = tmp_path / f"{name}.ipynb"
        execution.run(NotebookRun(NOTEBOOK, out, {"days": "4"}))
        printed = capsys.readouterr()
        assert (printed.out, printed.err) == ("5\n", "x\n")
        texts.append(out.read_text())
    assert texts[0] == texts[1]
    executed = json.loads(texts[0])
    assert executed["cells"][2]["source"] == ["days = 4"]
    on_screen, shown = executed["cells"][-1]["outputs"]
    assert on_screen["text"] == ["5\n"]
    assert shown["data"]["text/plain"] == ["<object at 0x0>"]


def test_a_notebook_that_fails_names_the_cell_and_leaves_nothing(
    project: Growing,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(project.root)
    change(project, "1 / 0")
    last = r"^notebooks/tides.ipynb, cell 3: ZeroDivisionError: division by zero$"
    with pytest.raises(StageError, match=last):
        execution.run(NotebookRun(NOTEBOOK, tmp_path / "out.ipynb"))
    assert "----> 1 1 / 0" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_what_is_no_notebook_in_python_or_has_other_packages_does_not_run(
    project: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    record(project, "ipykernel", "9.9")
    with pytest.raises(PackagesError, match=r"^notebooks/tides.ipynb would run with ipykernel "):
        execution.run(NotebookRun(NOTEBOOK))
    project.git("checkout", "--quiet", "--", ".")
    kernel = '"metadata": {"kernelspec": {"language": "R"}}'
    for text, said in {
        "days: 3": "cannot be read as a notebook",
        "[]": "cannot be read as a notebook",
        '{"nbformat": 3, "cells": [], "metadata": {}}': "is not a notebook of format 4",
        f'{{"nbformat": 4, "cells": [], {kernel}}}': "is a notebook in R",
    }.items():
        project.write("no.ipynb", text)
        with pytest.raises(StageError, match=f"^no.ipynb {said}") as error:
            execution.run(NotebookRun(Path("no.ipynb")))
        assert "\n" not in str(error.value)
    (project.root / "no.ipynb").unlink()


def test_provenance_names_language_and_versions(
    ran: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ran.root)
    assert word(f"bucket provenance --out {ran.root.parent}/crate") == 0
    crate = json.loads((ran.root.parent / "crate/ro-crate-metadata.json").read_text())
    things = {one["@id"]: one for one in crate["@graph"]}
    languages = {"peaks": "R", "tides": "Python", "ordered": "Shell"}
    scripts = {"peaks": "src/pipeline/peaks.R", "tides": "notebooks/tides.ipynb"}
    for name in stages(ran):
        script = things[scripts.get(name, "src/pipeline/ordered.sh")]
        assert things[script["programmingLanguage"]["@id"]]["name"] == languages[name]
        needed = things[script["softwareRequirements"]["@id"]]
        assert needed["name"] == DEPENDS[name]
        assert needed["softwareVersion"]
