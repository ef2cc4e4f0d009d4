"""The template over a DVC project that exists: its stages, data, cache and remote stay its own."""

import secrets
import shutil
from pathlib import Path

import copier
import pytest
from copier.errors import InteractiveSessionError

from dvc_bucket import Project, Settings
from dvc_bucket.connection.clients import aws_environment
from tests.clones import Clone
from tests.sharing.conftest import clone_at, commit
from tests.template.projects import files_below, render

SCRIPT = """\
import pathlib, sys
source, target = map(pathlib.Path, sys.argv[1:])
target.write_text(source.read_text().upper())
"""

STAGES = """\
stages:
  first:
    cmd: python code/upper.py data/input.txt first.txt
    deps: [code/upper.py, data/input.txt]
    outs: [first.txt]
  second:
    cmd: python code/upper.py first.txt out/second.txt
    deps: [code/upper.py, first.txt]
    outs: [out/second.txt]
"""

FILES = {
    "README.md": "# Somebody's project\n",
    ".gitignore": "/.dvc/cache\n",
    "code/upper.py": SCRIPT,
    "dvc.yaml": STAGES,
    "params.yaml": "unused: 1\n",
    "pyproject.toml": '[project]\nname = "somebody"\nversion = "1"\ndependencies = ["dvc[s3]"]\n',
    "data/input.txt": "levels\n",
    "out/.gitkeep": "",
}

#: What nobody may change.
OWN = (*FILES, ".dvc/config", "dvc.lock", "data/input.txt.dvc", "first.txt", "out/second.txt")


@pytest.fixture(scope="module")
def answers(store: Project) -> dict[str, str]:
    """Where the data of the project is."""
    settings = Settings.load(store)
    prefix = f"adopted-{secrets.token_hex(4)}"
    place = {"bucket": settings.bucket_name, "prefix": prefix, "endpoint": settings.endpoint_url}
    return {"kind": "own", "forge": "both", "project_name": "somebody", **place}


@pytest.fixture(scope="module")
def original(
    store: Project, answers: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Clone:
    """Two stages that ran and were pushed by plain DVC."""
    root = tmp_path_factory.mktemp("somebody") / "project"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    clone = clone_at(root)
    clone.environment.update(aws_environment(Settings.load(store)))
    clone.run("git", "init", "-q", "--initial-branch=main")
    clone.run("dvc", "init", "-q")
    url = f"s3://{answers['bucket']}/{answers['prefix']}"
    clone.run("dvc", "remote", "add", "-d", "lab", url)
    clone.run("dvc", "remote", "modify", "lab", "endpointurl", answers["endpoint"])
    clone.run("dvc", "add", "data/input.txt")
    clone.run("dvc", "repro")
    commit(clone, "Somebody's project")
    clone.run("dvc", "push")
    return clone


@pytest.fixture
def project(original: Clone, tmp_path: Path) -> Clone:
    shutil.copytree(original.root, tmp_path / "project", symlinks=True)
    return Clone(tmp_path / "project", original.environment)


def contents(project: Clone) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in files_below(project.root).items()}


def test_every_file_and_the_whole_cache_stay_and_both_tools_work_on_them(
    project: Clone, template: Path, store: Project, answers: dict[str, str]
) -> None:
    before = contents(project)
    render(template, project.root, **answers)
    after = contents(project)
    assert {name: after.get(name) for name in before} == before
    assert set(OWN) <= set(before)
    assert {"Makefile", ".env.example", ".ci/run", "data/README.md"} <= set(after) - set(before)
    assert not [name for name in set(after) - set(before) if name.startswith(("src/", "tests/"))]
    assert b"measurements" not in after["data/README.md"]
    assert b"celsius" not in after["data/README.md"]

    (project.root / ".gitignore").write_text(FILES[".gitignore"] + "/.env\n/.venv/\n/.bucket/\n")
    keys = aws_environment(Settings.load(store))
    mine = {f"OS_{name}": keys[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")}
    said = project.run("bucket", "init", "--yes", "--no-doctor", check=True, **mine).stdout
    assert "Nothing to change in the tracked files." in said
    shutil.rmtree(project.root / ".dvc" / "cache")
    for name in ("first.txt", "out/second.txt", "data/input.txt"):
        (project.root / name).unlink()
    project.run("bucket", "pull")
    assert {name: (project.root / name).read_bytes() for name in OWN if name != ".gitignore"} == {
        name: before[name] for name in OWN if name != ".gitignore"
    }
    assert project.run("bucket", "repro").stdout.count("didn't change, skipping") == 3
    project.run("bucket", "verify")
    assert "in sync" in project.run("dvc", "status", "-c").stdout


def test_a_makefile_of_ones_own_is_not_replaced_unasked(
    project: Clone, template: Path, answers: dict[str, str]
) -> None:
    (project.root / "Makefile").write_text("all:\n\techo mine\n")
    before = contents(project)
    with pytest.raises(InteractiveSessionError):  # there is no terminal to ask at
        render(template, project.root, **answers)
    after = contents(project)
    assert {name: after.get(name) for name in before} == before
    copier.run_copy(
        str(template),
        project.root,
        data=answers,
        defaults=True,
        quiet=True,
        skip_if_exists=["Makefile"],
    )
    after = contents(project)
    assert {name: after.get(name) for name in before} == before
    assert ".copier-answers.yml" in after
