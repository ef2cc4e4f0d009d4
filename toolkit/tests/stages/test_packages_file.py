"""`packages.yaml`: what is in it, who writes it, and how it is held against code and lock file."""

import importlib.metadata
import json
import re
from collections.abc import Iterator

import pytest

from dvc_bucket import Project
from dvc_bucket.base import lock_file, packages
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.jobs import env
from dvc_bucket.jobs.env.declare import declare
from dvc_bucket.stages.declared import versions
from dvc_bucket.testing import stage_faults
from tests.bucket.store_tools import run
from tests.stages.package_tools import DATE, lock, make, put_back


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project; nothing has run."""
    return make(tmp_path_factory.mktemp("packages") / "clone")


@pytest.fixture
def project(made: Project) -> Iterator[Project]:
    """The same, put back afterwards."""
    with put_back(made):
        yield made


def test_the_file_has_the_packages_that_stages_name_and_is_written_once(project: Project) -> None:
    text = project.packages.read_text()
    assert text.startswith("# ")
    assert [line.split(":")[0] for line in text.splitlines()[1:]] == [
        *("python-dateutil", "six", "tomlkit")
    ]
    assert f'python-dateutil: "{DATE}"\n' in text
    assert not versions.write(project)
    assert stage_faults(project.root) == []


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
