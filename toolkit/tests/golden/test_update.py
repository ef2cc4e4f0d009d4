"""`make update` whole: set-up with the new toolkit, tests, the stages that changed, the summary."""

import sys
from collections.abc import Iterator

import pytest

from dvc_bucket import Project
from tests.clones import Clone
from tests.conftest import discard
from tests.end_to_end.clones import environment
from tests.template.projects import IDENTITY, clone_of_template, make_new, release
from tests.template.updates import FIRST, SECOND, edit, second_release

PYTHON = f"PYTHON={sys.executable}"

SUMMARY = f"""\
Update: {FIRST} -> {SECOND}, 16 files changed, of which removed: .editorconfig, \
vendor/dvc_bucket-{FIRST}-py3-none-any.whl.
Tests:  passed.
Stages: clean, summary changed; the outputs are identical to the recorded ones.
To do:
for {SECOND}:
- Run `make reproduce`.
Next:   look at it (git diff HEAD), then: make reproduce && git add --all && git commit
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone with the first release; the second is made by the test."""
    clone = clone_of_template(tmp_path_factory.mktemp("template") / "template")
    release(clone, FIRST)
    return clone


@pytest.fixture(scope="module")
def project(template: Clone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """A project with results, packages and a store of its own, and an empty home."""
    folder = tmp_path_factory.mktemp("a project, é")
    root = make_new(template, folder / "mine", name="mine")
    (folder / "home").mkdir()
    cache = template.run("uv", "cache", "dir").stdout.strip()
    variables = environment(root) | IDENTITY | {"HOME": str(folder / "home"), "UV_CACHE_DIR": cache}
    del variables["PYTHONPATH"]
    project = Clone(root, variables, timeout=1200)
    project.run("make", PYTHON, "reproduce")
    yield project
    discard(Project(root))


def test_a_project_takes_the_next_release_and_goes_on(template: Clone, project: Clone) -> None:
    edit(project.root, "src/pipeline/clean.py", ('"""', '"""Of mine. '))
    project.run("make", PYTHON, "reproduce", "add", "PACKAGE=tabulate")
    project.run("git", "commit", "--quiet", "--all", "--message", "Work")
    edit(project.root, "src/pipeline/clean.py", ("Of mine", "Of mine, too"))
    project.run("git", "commit", "--quiet", "--all", "--message", "A stage that did not run")
    second_release(template)

    source = f"FROM={template.root}"
    shown = project.run("make", PYTHON, "update", source, "ARGS=--dry-run").stdout
    assert f"+_commit: v{SECOND}" in shown
    assert not project.run("git", "status", "--porcelain").stdout

    assert project.run("make", PYTHON, "update", source).stdout.endswith(SUMMARY)
    bucket = project.root / ".venv/bin/bucket"
    assert f"dvc-bucket {SECOND}\n" in project.run(bucket, "--version").stdout
    done = project.run(bucket, "doctor", check=False)
    assert ["ok", "template", SECOND] in [line.split() for line in done.stdout.splitlines()]
    assert '"tabulate",' in (project.root / "pyproject.toml").read_text()

    project.run("make", PYTHON, "reproduce")
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--message", "Update")
    assert "identical" in project.run("make", PYTHON, "check").stdout
    again = project.run("make", PYTHON, "update", source).stdout
    assert again.endswith(f"The project is at version {SECOND} already.\n")
