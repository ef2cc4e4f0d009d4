"""The packages of stages: `packages.yaml`, what DVC makes of it, and who refuses to run."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dvc_bucket import Project
from dvc_bucket.base import lock_file, packages
from dvc_bucket.base.errors import PackagesError, ProjectError
from dvc_bucket.connection.env_file import create_env
from dvc_bucket.dvc.packages import refuse
from dvc_bucket.jobs import env
from dvc_bucket.jobs.env.declare import declare
from dvc_bucket.stages.declared import versions
from dvc_bucket.testing import stage_faults
from tests.bucket.store_tools import run
from tests.projects import make_project

#: Packages that are small, installed and imported by a name of their own or by another one.
USED = ("tomlkit", "python-dateutil", "six", "idna")

DATE = importlib.metadata.version("python-dateutil")

FILES = {
    ".gitignore": "/.env\n/.bucket\n/.dvc/tmp\n/.dvc/cache\n/*.txt\n",
    "load.py": (
        "import sys, pathlib\nimport tomlkit\n"
        "pathlib.Path(sys.argv[1]).write_text(tomlkit.dumps({'a': 1}))\n"
    ),
    "fit.py": (
        "from pathlib import Path\nfrom dateutil import parser\n"
        "from dvc_bucket.stages import run_stage\n"
        "def main(source: Path, out: Path) -> None:\n"
        "    import idna\n"
        "    out.write_text(f'{parser.parse(\"2020-01-02\")} {idna.__name__}\\n')\n"
        "if __name__ == '__main__':\n    run_stage(main)\n"
    ),
    "dvc.yaml": """\
stages:
  load:
    cmd: python load.py load.txt
    deps: [load.py]
    params:
      - packages.yaml: [tomlkit]
    outs: [load.txt]
  fit:
    cmd: python fit.py load.txt fit.txt
    deps: [load.txt, fit.py]
    params:
      - packages.yaml: [python-dateutil, six]
    outs: [fit.txt]
""",
}


def lock(project: Project, **changes: str) -> None:
    """Write the lock file, with the installed versions but for these, and packages.yaml."""
    pins = {name: importlib.metadata.version(name) for name in (*USED, "pytest")}
    pins |= {name.replace("_", "-"): version for name, version in changes.items()}
    text = "".join(f"{name}=={version} \\\n    --hash=sha256:0\n" for name, version in pins.items())
    (project.root / "requirements.lock").write_text(text)
    versions.write(project)


def dvc(project: Project, *words: str) -> str:
    """What plain `dvc` prints."""
    done = subprocess.run(
        [Path(sys.executable).with_name("dvc"), *words],
        cwd=project.root,
        env=os.environ | {"DVC_SITE_CACHE_DIR": str(project.dvc_site_cache), "SHELL": "/bin/sh"}
        | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    return f"{done.stdout}{done.stderr}"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose two stages have run, each with packages of its own."""
    project = make_project(tmp_path_factory.mktemp("packages") / "clone")
    create_env(project)
    for path, text in FILES.items():
        (project.root / path).write_text(text)
    for words in (["init", "-q"], ["add", "--all"]):
        subprocess.run(["git", *words], cwd=project.root, check=True)
    lock(project)
    assert "Running stage 'fit'" in dvc(project, "repro")
    return project


@pytest.fixture
def project(ran: Project) -> Iterator[Project]:
    """The same, put back afterwards."""
    names = ("dvc.yaml", "dvc.lock", "packages.yaml", "requirements.lock", "fit.txt", "load.txt")
    before = {name: (ran.root / name).read_bytes() for name in names}
    yield ran
    for name, content in before.items():
        (ran.root / name).unlink(missing_ok=True)  # it may be a link to the cache
        (ran.root / name).write_bytes(content)


def test_the_file_has_the_packages_that_stages_name_and_is_written_once(project: Project) -> None:
    text = project.packages.read_text()
    assert text.startswith("# ")
    assert [line.split(":")[0] for line in text.splitlines()[1:]] == [
        *("python-dateutil", "six", "tomlkit")
    ]
    assert f'python-dateutil: "{DATE}"\n' in text
    assert not versions.write(project)
    assert stage_faults(project.root) == []


def test_another_version_reruns_the_stages_that_import_the_package_and_no_other(
    project: Project,
) -> None:
    assert "up to date" in dvc(project, "status")
    lock(project, pytest="1.0")
    assert "up to date" in dvc(project, "status")
    lock(project, python_dateutil="9.0")
    said = dvc(project, "status")
    assert re.findall(r"^(\w+):$", said, re.MULTILINE) == ["fit"]
    assert re.search(r"modified:\s+python-dateutil", said)
    lock(project)
    assert "up to date" in dvc(project, "status")


def test_a_stage_refuses_another_version_than_recorded_where_dvc_is_not_ours(
    project: Project,
) -> None:
    lock(project, python_dateutil="9.0")
    said = dvc(project, "repro")
    assert f"fit: it would run with python-dateutil {DATE}, where packages.yaml has 9.0. " in said
    assert "make setup" in said
    assert "failed to run" in said
    lock(project, tomlkit="9.0")  # which it does not import
    script = [sys.executable, "fit.py", "load.txt", "fit.txt"]
    subprocess.run(script, cwd=project.root, check=True)


def test_a_stage_that_ran_with_a_version_before_is_taken_from_the_run_cache(
    project: Project,
) -> None:
    lock(project, tomlkit="9.0")
    assert "Running stage 'load'" in dvc(project, "repro")  # a script without our shell
    lock(project)
    said = dvc(project, "repro")
    assert "Running stage" not in said
    assert "Stage 'load' is cached" in said


def test_bucket_repro_refuses_what_it_would_run_with_another_version(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    lock(project, tomlkit="9.0")
    refused = run(project, "repro")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    installed = importlib.metadata.version("tomlkit")
    head = f"bucket: load would run with tomlkit {installed}, where packages.yaml has 9.0. "
    assert refused.stderr.startswith(head)
    assert "make setup" in refused.stderr
    assert "make lock" in refused.stderr
    # `fit` reads what `load` writes, but names another package; alone it has nothing to run.
    for words in (["--single-item", "fit"], ["--dry"]):
        refuse(["repro", *words])
    assert run(project, "repro", BUCKET_ANY_PACKAGES="1").returncode == 0
    # All is recorded with the version of the file: nothing would run any more.
    refuse(["repro"])
    with pytest.raises(PackagesError, match="load would run"):
        refuse(["repro", "--force"])


def test_the_comparison_with_what_is_installed_takes_at_most_40_ms(project: Project) -> None:
    (project.root / "packages.yaml").write_text(
        packages.text_of({name: importlib.metadata.version(name) for name in (*USED, "numpy",
            "pandas", "pyarrow", "scikit-learn", "scipy", "pydantic", "matplotlib")})
    )  # fmt: skip
    taken = []
    for _ in range(5):
        started = time.process_time()
        assert packages.different(project) == []
        taken.append(time.process_time() - started)
    assert min(taken) < 0.04


def test_a_package_by_git_has_its_commit_and_one_of_two_systems_both_versions() -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    text = (
        f"mine @ git+https://example.org/mine.git@{commit}\n"
        "Two.Names==1.0 ; python_version < '3.12' \\\n    --hash=sha256:0\n"
        "two-names==2.10 ; python_version >= '3.12'\n"
        "torch==2.9.0+cu128 ; sys_platform == 'linux'\ntorch==2.9.0 ; sys_platform != 'linux'\n"
        "wheel[a] @ https://example.org/wheel-1.5-py3-none-any.whl#sha256=0\n"
        "branch @ git+https://example.org/branch.git@main\n"
    )
    assert lock_file.versions(text) == {
        "mine": [commit],
        "two-names": ["1.0", "2.10"],
        "torch": ["2.9.0"],
        "wheel": ["1.5"],
    }


def test_what_a_stage_imports_and_does_not_name_is_a_fault_and_the_reverse(
    project: Project,
) -> None:
    flow = project.root / "dvc.yaml"
    text = flow.read_text()
    for before, after, said in (
        ("[tomlkit]", "[tomlkit, idna]", "load names the package idna, which neither it nor"),
        ("[python-dateutil, six]", "[six]", "packages.yaml: [python-dateutil, six] ("),
        ("[tomlkit]", "[tom_lkit]", "Write tom-lkit."),
        ("packages.yaml: [tomlkit]", "packages.yaml:", "load has all of packages.yaml"),
        # What only a function imports may be named, and need not be.
        ("[python-dateutil, six]", "[python-dateutil, idna]", "packages.yaml has no idna"),
    ):
        assert text.count(before) == 1
        flow.write_text(text.replace(before, after))
        assert any(said in fault for fault in stage_faults(project.root)), after
    flow.write_text(text)
    lock_text = (project.root / "requirements.lock").read_text()
    (project.root / "requirements.lock").write_text(lock_text.replace(DATE, "9.0"))
    (fault,) = stage_faults(project.root)
    assert fault.startswith(f"packages.yaml has python-dateutil {DATE}, and requirements.lock 9.0.")
    assert fault.endswith("bucket env --write")


def test_a_project_without_the_file_goes_on_as_before(project: Project) -> None:
    flow = project.root / "dvc.yaml"
    flow.write_text(re.sub(r"    params:\n.*packages.yaml.*\n", "", flow.read_text()))
    project.packages.unlink()
    assert stage_faults(project.root) == []
    assert not versions.write(project)
    assert not project.packages.exists()
    assert run(project, "repro").returncode == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pandas: 2.10\n", "packages.yaml, line 1: 'pandas: 2.10' is not"),
        ('a: "1"\n<<<<<<< ours\n', "packages.yaml, line 2: '<<<<<<< ours' is not"),
    ],
)
def test_a_file_that_nobody_wrote_is_named_with_its_line(
    project: Project, text: str, said: str
) -> None:
    project.packages.write_text(text)
    with pytest.raises(ProjectError, match=re.escape(said)):
        packages.read(project)
    assert "bucket env --write" in str(run(project, "repro").stderr)


def test_a_file_in_conflict_is_written_again_or_stays_as_it_is(project: Project) -> None:
    whole = project.packages.read_text()
    torn = f"<<<<<<< ours\n{whole}=======\n>>>>>>> theirs\n"
    project.packages.write_text(torn)
    (project.root / "requirements.lock").rename(project.root / "elsewhere.lock")
    with pytest.raises(ProjectError, match=r"requirements.lock cannot be read"):
        versions.write(project)
    assert project.packages.read_text() == torn
    (project.root / "elsewhere.lock").rename(project.root / "requirements.lock")
    assert versions.write(project)
    assert project.packages.read_text() == whole


def test_a_package_that_the_lock_file_does_not_pin_is_named(project: Project) -> None:
    flow = project.root / "dvc.yaml"
    flow.write_text(flow.read_text().replace("[tomlkit]", "[tomlkit, unheard-of]"))
    with pytest.raises(ProjectError, match=r"requirements.lock pins no version of unheard-of"):
        versions.write(project)


def test_bucket_env_lists_packages_with_version_and_reason(project: Project) -> None:
    lock(project, six="9.0")
    lines = run(project, "env").stdout.splitlines()
    assert lines[0].split() == ["stage", "package", "version", "why"]
    in_function = "imported by fit.py (in a function); not in the params of the stage"
    six = importlib.metadata.version("six")
    assert [line.split(maxsplit=3) for line in lines[1:]] == [
        ["load", "tomlkit", importlib.metadata.version("tomlkit"), "imported by load.py"],
        ["fit", "idna", "-", in_function],
        ["fit", "python-dateutil", DATE, "imported by fit.py"],
        ["fit", "six", "9.0", f"declared by hand; python-dateutil needs it; {six} is installed"],
    ]
    found = json.loads(env.as_json(env.rows(project)))
    assert {"package": "six", "version": "9.0", "installed": six}.items() <= found[-1].items()
    assert [str(one) for one in packages.not_locked(project)] == [
        f"six {six} is installed, not 9.0"
    ]
    assert run(project, "env", "--installed").returncode == 1


def test_declaring_names_what_stages_import_and_writes_the_versions(project: Project) -> None:
    flow = project.root / "dvc.yaml"
    before = flow.read_text()
    flow.write_text(before.replace("[python-dateutil, six]", "[six]").replace(
        "    params:\n      - packages.yaml: [tomlkit]\n", ""))  # fmt: skip
    versions.write(project)
    done = run(project, "env", "--declare")
    assert done.stdout == "load: tomlkit\nfit: python-dateutil, six\n"
    assert flow.read_text() == before
    assert stage_faults(project.root) == []
    assert declare(project) == []
