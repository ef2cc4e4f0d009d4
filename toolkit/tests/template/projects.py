"""Releases of the template in temporary clones, and the projects that are made of them."""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import copier

from tests.clones import Clone
from tests.end_to_end.clones import copy_repository, environment

#: Who commits where a test does; nobody's own name.
IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Test"), ("EMAIL", "test@example.org"))
}

#: Where the clones of the tests say that they come from.
ORIGIN = "https://somebody:secret@example.org/lab/template.git"


def clone_of_template(root: Path) -> Clone:
    """A clone of the working tree as it is, without the last release, and with a change since."""
    root.mkdir(parents=True)
    copy_repository(root)
    shutil.rmtree(root / "template" / "project" / "vendor", ignore_errors=True)
    changelog = root / "toolkit" / "CHANGELOG.md"
    heading, change = "## Unreleased\n", "\n- A change.\n"
    changelog.write_text(changelog.read_text().replace(heading, heading + change, 1))
    clone = Clone(root, environment(root) | IDENTITY)
    clone.run("git", "commit", "--quiet", "--all", "--amend", "--no-edit")
    clone.run("git", "remote", "add", "origin", ORIGIN)
    return clone


def release(clone: Clone, version: str) -> None:
    """What `make release` does after the golden test, which the caller is."""
    clone.run(sys.executable, "template/release.py", version)


def tree_of_release(clone: Clone, folder: Path) -> Path:
    """The files of a clone without its history: copier then needs no clone of its own."""
    shutil.copytree(
        clone.root, folder, symlinks=True, ignore=shutil.ignore_patterns(".git", ".venv")
    )
    return folder


def render(template: Path, project: Path, **answers: Any) -> Path:
    """Make a project of a template with these answers, and the defaults for all others."""
    copier.run_copy(str(template), project, data=answers, defaults=True, quiet=True)
    return project


def files_below(project: Path) -> dict[str, Path]:
    """The files of a project by their paths in it."""
    return {
        path.relative_to(project).as_posix(): path
        for path in sorted(project.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(project).parts
    }


def is_executable(path: Path) -> bool:
    return os.access(path, os.X_OK)


def make_new(template: Clone, folder: Path, *, name: str, kind: str = "skeleton") -> Path:
    """A project by `make new`."""
    words = f"--defaults --data project_name={name} --data kind={kind}"
    template.run("make", "-o", ".venv/.installed", "new", f"DIR={folder}", f"ARGS={words}")
    return folder


def at_work(project: Clone) -> None:
    """What a new project does at once: lint, tests, the main job twice, the same by plain DVC."""
    project.make("lint")
    project.make("test")
    first = project.make("reproduce").stdout
    assert f"Report: {project.root}/reports/report.html" in first
    assert (project.root / "reports" / "report.html").is_file()
    assert not project.run("git", "status", "--porcelain").stdout
    second = project.make("reproduce").stdout
    assert "Running stage" not in second
    assert "Everything is up to date." in second
    assert not project.run("git", "status", "--porcelain").stdout
    dotenv = ("dotenv", "run", "--", "dvc")
    assert "Data and pipelines are up to date." in project.run(*dotenv, "status").stdout
    assert "in sync" in project.run(*dotenv, "status", "--cloud").stdout
    shutil.rmtree(project.root / ".dvc" / "cache")
    (project.root / "reports" / "report.html").unlink()
    project.run(*dotenv, "pull")
    assert (project.root / "reports" / "report.html").is_file()
    project.run(*dotenv, "repro", "--force", "--no-commit")
    assert not project.run("git", "status", "--porcelain").stdout
