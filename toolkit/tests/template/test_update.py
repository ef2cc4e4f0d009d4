"""`make update`: the next release merged into a project in which a person has worked."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from dvc_bucket.base import lock_file
from dvc_bucket.git import answers
from tests.clones import Clone
from tests.template import updates
from tests.template.packages import SmallProject
from tests.template.updates import FIRST, LOCKS, OF_TEMPLATE, PIN, PINNED, SECOND, Edit

WHEEL = "vendor/dvc_bucket-{}-py3-none-any.whl"

#: A package of the person's own.
OWN = "tiny-lib"

#: What the person changed beside README.md, the lock files, and two deleted files.
OF_PERSON: Mapping[str, Edit] = {
    ".gitignore": ("# Secrets", "/notes/\n# Secrets"),
    "Makefile": ("help: ##", "mine:\n\t@echo mine\n\nhelp: ##"),
    "data/README.md": ("## Where it lives", "## Of mine\n\n## Where it lives"),
    "dvc.yaml": ("metrics:", "  mine:\n    cmd: echo\n    frozen: true\n\nmetrics:"),
    "params.yaml": ("max_celsius: 60.0", "max_celsius: 55.0"),
    "pyproject.toml": ("    # The analysis\n", f'    # The analysis\n    "{OWN}>=1.0",\n'),
    "src/pipeline/clean.py": ('"""', '"""Of mine. '),
}
DELETED = (".pre-commit-config.yaml", "tests/test_summary.py")

#: What an update leaves alone, although the template changed it.
NEVER = ("README.md", "dvc.lock", "reports/summary.json")


def merge(
    project: SmallProject, template: Path | str, *words: str
) -> "subprocess.CompletedProcess[str]":
    """What the first half of `make update` does."""
    command = ("bucket", "merge-template", "--from", str(template), *words)
    done = project.clone.run(*command, check=False)
    assert "Traceback" not in done.stderr
    return done


def git(project: SmallProject, *words: str) -> str:
    return project.clone.run("git", *words).stdout.strip()


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packages") / "registry"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, registry: Path) -> Clone:
    return updates.two_releases(tmp_path_factory.mktemp("template"), registry)


@pytest.fixture(scope="module")
def fresh(
    template: Clone, registry: Path, tmp_path_factory: pytest.TempPathFactory
) -> SmallProject:
    """A project as it was made; read only."""
    return updates.project_of(template, tmp_path_factory.mktemp("fresh") / "mine", registry)


@pytest.fixture(scope="module")
def worked(fresh: SmallProject, tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    """A project in which a person has worked; read only."""
    project = updates.copy_of(fresh, tmp_path_factory.mktemp("worked") / "mine")
    updates.publish(project.registry, OWN, "1.0")
    for path, change in OF_PERSON.items():
        updates.edit(project.root, path, change)
    for path in DELETED:
        (project.root / path).unlink()
    (project.root / "README.md").write_text("Of mine\n")
    project.clone.make("lock")
    updates.publish(project.registry, OWN, "2.0")
    updates.commit(project, "Work")
    notes_folder = project.root / "notes"
    notes_folder.mkdir()
    (notes_folder / "ignored.txt").write_text("kept\n")
    return project


@pytest.fixture(scope="module")
def updated(
    worked: SmallProject, template: Clone, tmp_path_factory: pytest.TempPathFactory
) -> SmallProject:
    """The same after the update; read only."""
    project = updates.copy_of(worked, tmp_path_factory.mktemp("updated") / "mine")
    done = merge(project, template.root)
    assert (done.returncode, done.stdout) == (0, f"Merged version {SECOND}.\n")
    return project


def test_each_file_has_the_changes_of_both_sides(
    fresh: SmallProject, worked: SmallProject, updated: SmallProject
) -> None:
    first, before, after = map(updates.files_of, (fresh, worked, updated))
    assert set(after) == set(before) - {".editorconfig", WHEEL.format(FIRST)} | {
        "NEWS.md",
        WHEEL.format(SECOND),
    }
    assert set(before) == set(first) - set(DELETED)
    for path in OF_PERSON.keys() | OF_TEMPLATE.keys() - {*DELETED, *NEVER}:
        text = first[path].decode()
        for change in (OF_PERSON.get(path), OF_TEMPLATE.get(path)):
            text = text.replace(*change, 1) if change else text
        assert after[path].decode() == text, path
    changed = {path for path in after.keys() & before.keys() if after[path] != before[path]}
    mergeable = OF_TEMPLATE.keys() - {*DELETED, *NEVER}
    assert changed == mergeable | {*LOCKS, ".copier-answers.yml", "vendor/pin.txt"}


def test_nothing_is_in_conflict_and_no_trace_is_left(updated: SmallProject) -> None:
    assert not git(updated, "diff", "--name-only", "--diff-filter=U")
    assert not git(updated, "diff", "--cached", "--name-only")
    assert len(git(updated, "worktree", "list").splitlines()) == 1
    assert git(updated, "rev-list", "--count", "--all") == "2"
    assert (updated.root / "notes/ignored.txt").read_text() == "kept\n"


def test_the_answers_have_the_new_version_and_the_same_url(updated: SmallProject) -> None:
    text = (updated.root / answers.FILE).read_text()
    assert f"_commit: v{SECOND}\n_src_path: {updates.URL}\n" in text
    assert "project_name: river-atlas\n" in text


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_stays_but_those_that_the_template_changed(
    worked: SmallProject, updated: SmallProject, lock: str
) -> None:
    before, after = (project.root.joinpath(lock).read_text() for project in (worked, updated))
    pins = lock_file.packages(before)
    wheel = re.findall(r"--hash=(\S+)", (updated.root / "vendor/pin.txt").read_text())
    assert lock_file.packages(after).keys() == pins.keys()
    for name, lines in lock_file.packages(after).items():
        if name == "dvc-bucket":
            assert lines == f"dvc-bucket=={SECOND} \\\n    --hash={wheel[0]}\n"
        elif name == PINNED:
            assert lines.startswith(f"{PINNED}=={PIN}")
        else:
            assert lines == pins[name]
    assert pins[OWN].startswith(f"{OWN}==1.0")


def test_the_second_half_proves_the_stages_and_sums_up(updated: SmallProject) -> None:
    done = updated.clone.run("bucket", "prove-update", "--tests", "passed")
    assert done.stdout.splitlines() == [
        f"Update: {FIRST} -> {SECOND}, 15 files changed, of which removed: .editorconfig, "
        f"{WHEEL.format(FIRST)}.",
        "Tests:  passed.",
        "Stages: clean, summary changed; the outputs are identical to the recorded ones.",
        "To do:  nothing.",  # by the toolkit that runs this test
        "Next:   look at it (git diff HEAD), then: make reproduce && git add --all && git commit",
    ]
    failed = updated.clone.run("bucket", "prove-update", "--tests", "failed", check=False)
    assert failed.returncode == 1
    assert "Tests:  FAILED" in failed.stdout
    assert not git(updated, "diff", "--cached", "--name-only")


def test_a_dry_run_shows_it_and_changes_nothing(fresh: SmallProject, template: Clone) -> None:
    before = git(fresh, "status", "--porcelain", "--ignored"), git(fresh, "rev-parse", "HEAD")
    done = merge(fresh, template.root, "--dry-run")
    assert done.returncode == 0
    assert f"-_commit: v{FIRST}\n+_commit: v{SECOND}\n" in done.stdout
    assert "+# Of the template" in done.stdout
    assert (git(fresh, "status", "--porcelain", "--ignored"), git(fresh, "rev-parse", "HEAD")) == (
        before
    )


def test_a_conflict_is_listed_and_ends_with_1(
    fresh: SmallProject, template: Clone, tmp_path: Path
) -> None:
    project = updates.copy_of(fresh, tmp_path / "mine")
    updates.edit(project.root, "params.yaml", ("clean:", "# Of mine\nclean:"))
    for lock in LOCKS:  # both sides change the same lines, and no question is asked
        updates.pin(project.root / lock, PINNED, "2030.1")
    updates.commit(project, "Work")
    done = merge(project, template.root)
    assert done.returncode == 1
    assert "the same lines of: params.yaml\n" in done.stderr
    assert "git add params.yaml && make updated" in done.stderr
    assert git(project, "diff", "--name-only", "--diff-filter=U") == "params.yaml"
    text = (project.root / "params.yaml").read_text()
    assert "# Of mine" in text
    assert "# Of the template" in text
    for lock in LOCKS:
        pins = lock_file.packages((project.root / lock).read_text())
        assert pins[PINNED].startswith(f"{PINNED}=={PIN}")
        assert pins["dvc-bucket"].startswith(f"dvc-bucket=={SECOND}")

    proof = ("bucket", "prove-update", "--tests", "passed")
    assert "In conflict: params.yaml" in project.clone.run(*proof, check=False).stderr
    git(project, "add", "params.yaml")  # with the markers in it
    refused = project.clone.run(*proof, check=False)
    assert (refused.returncode, "In conflict: params.yaml" in refused.stderr) == (1, True)


def test_an_answer_is_changed_without_another_version(
    fresh: SmallProject, template: Clone, tmp_path: Path
) -> None:
    project = updates.copy_of(fresh, tmp_path / "mine")
    done = merge(project, template.root, "--data", "forge=gitlab")
    assert (done.returncode, done.stdout) == (0, f"Merged version {FIRST}.\n")
    assert (project.root / ".gitlab-ci.yml").is_file()
    assert not (project.root / ".github/workflows/reproduce.yml").exists()
    changed = git(project, "status", "--porcelain", "--untracked-files=all").split("\n")
    assert {line[2:].strip() for line in changed} == {
        ".copier-answers.yml",
        ".github/workflows/reproduce.yml",
        ".gitlab-ci.yml",
    }


def redirected(template: Clone, cache: Path) -> dict[str, str]:
    """Variables with which git finds the template's URL in a folder."""
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{template.root}.insteadOf",
        "GIT_CONFIG_VALUE_0": updates.URL,
        "COPIER_CACHE_DIR": str(cache),
    }


def test_copier_alone_changes_an_answer_too(
    fresh: SmallProject, template: Clone, tmp_path: Path
) -> None:
    project = updates.copy_of(fresh, tmp_path / "mine")
    words = ("copier", "update", "--vcs-ref", ":current:", "--defaults", "--data", "forge=gitlab")
    project.clone.run(*words, check=True, **redirected(template, tmp_path / "cache"))
    assert (project.root / ".gitlab-ci.yml").is_file()
    assert not (project.root / ".github/workflows/reproduce.yml").exists()
    assert f"_commit: v{FIRST}\n" in (project.root / answers.FILE).read_text()


def test_a_file_that_git_does_not_have_is_never_replaced(
    fresh: SmallProject, template: Clone, tmp_path: Path
) -> None:
    project = updates.copy_of(fresh, tmp_path / "mine")
    updates.edit(project.root, ".gitignore", ("# Secrets", "/NEWS.md\n# Secrets"))
    updates.commit(project, "Work")
    (project.root / "NEWS.md").write_text("kept\n")
    done = merge(project, template.root)
    assert done.returncode == 1
    assert "NEWS.md: not in git, but the new version has a file with that name" in done.stderr
    assert (project.root / "NEWS.md").read_text() == "kept\n"
    assert not git(project, "status", "--porcelain")


def test_what_cannot_be_updated_is_refused_in_a_sentence(
    fresh: SmallProject, template: Clone, tmp_path: Path
) -> None:
    project, source = updates.copy_of(fresh, tmp_path / "mine"), template.root

    def refused(place: Path | str, *words: str) -> str:
        done = merge(project, place, *words)
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
        return done.stderr

    asked = refused(source, "--version", "7.0.0")
    assert f"VERSION=7.0.0: {source} does not have this version; it has {SECOND}, {FIRST}" in asked
    assert f"The template {updates.URL} cannot be reached" in refused("")
    nobody = "https://somebody:secret@127.0.0.1:9/lab/template.git"
    assert "https://127.0.0.1:9/lab/template.git cannot be reached" in refused(nobody)
    assert "secret" not in refused(nobody)
    assert "has no release" in refused(fresh.root)
    (project.root / "new.txt").touch()
    updates.edit(project.root, "params.yaml", ("60.0", "61.0"))
    assert "Commit or stash your changes first: params.yaml, new.txt" in refused(source)
    git(project, "rm", "--quiet", answers.FILE)
    assert re.search(rf"no {answers.FILE}, .* Restore it: git checkout \w+ -- ", refused(source))


def test_a_project_that_is_of_the_version_or_of_a_newer_one_stays(
    updated: SmallProject, template: Clone, tmp_path: Path
) -> None:
    project = updates.copy_of(updated, tmp_path / "mine")
    updates.commit(project, "The update")
    words = ("bucket", "merge-template")
    there = project.clone.run(
        *words, check=True, **redirected(template, tmp_path / "cache")
    )  # by its URL
    assert there.stdout == f"The project is at version {SECOND} already.\n"
    older = merge(project, template.root, "--version", FIRST)
    assert f"VERSION={FIRST} is older than this project's version {SECOND}" in older.stderr
    assert not git(project, "status", "--porcelain")
    nothing = project.clone.run("bucket", "prove-update", "--tests", "passed", check=False)
    assert "no uncommitted update" in nothing.stderr
