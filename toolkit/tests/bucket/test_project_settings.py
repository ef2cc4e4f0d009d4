"""`[tool.dvc-bucket]` says where a project has its pages; what it cannot say is refused."""

import re
from pathlib import Path

import pytest

from dvc_bucket import Project
from dvc_bucket.base import project_settings
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.project_settings import ProjectSettings

KEYS = "data-page, jobs, license-file, lock-file, packages, sources"


def said(root: Path, text: str) -> ProjectSettings:
    """The settings of a project with this `pyproject.toml`."""
    (root / "pyproject.toml").write_text(text)
    return project_settings.of(Project(root))


def refusal(root: Path, table: str) -> str:
    with pytest.raises(ProjectError) as caught:
        said(root, f"[tool.dvc-bucket]\n{table}\n")
    return str(caught.value)


@pytest.mark.parametrize("text", [None, "", '[project]\nname = "tides"\n', "[tool.dvc-bucket]\n"])
def test_a_project_without_the_table_has_the_defaults(tmp_path: Path, text: str | None) -> None:
    found = project_settings.of(Project(tmp_path)) if text is None else said(tmp_path, text)
    assert found == ProjectSettings()
    assert found.data_page == "data/README.md"
    assert (found.license_file, found.lock_file) == ("LICENSE", "requirements.lock")
    assert found.packages == ()
    assert not list(found.paths())


def test_every_key_is_read(tmp_path: Path) -> None:
    table = 'data-page = "docs/data.md"\nlicense-file = "COPYING"\nlock-file = "locks/all.txt"\n'
    table += "jobs = 4\n"
    found = said(tmp_path, f'[tool.dvc-bucket]\n{table}packages = ["src/tools/", "vendor"]\n')
    assert (found.data_page, found.license_file) == ("docs/data.md", "COPYING")
    assert (found.lock_file, found.packages) == ("locks/all.txt", ("src/tools", "vendor"))
    assert found.jobs == 4
    assert "jobs" not in dict(found.paths())
    assert [found.is_set(name) for name in ProjectSettings.model_fields] == [True] * 5 + [False]


def test_sources_say_whose_keys_open_the_data_of_other_projects(tmp_path: Path) -> None:
    kinds = ('{ prefix = "OTHER" }', '{ profile = "lab" }', "{ anonymous = true }")
    lines = "".join(f'"https://example.org/{turn}" = {kind}\n' for turn, kind in enumerate(kinds))
    found = said(tmp_path, f"[tool.dvc-bucket.sources]\n{lines}")
    named = [(one.prefix, one.profile, one.anonymous) for one in found.sources.values()]
    assert named == [("OTHER", "", False), ("", "lab", False), ("", "", True)]
    assert not list(found.paths())
    for kind in ('{ prefix = "a-b" }', "{}", '{ prefix = "A", anonymous = true }', '"OTHER"'):
        (tmp_path / "pyproject.toml").write_text(f"[tool.dvc-bucket.sources]\nu = {kind}\n")
        with pytest.raises(ProjectError, match="sources: u wants one of"):
            project_settings.of(Project(tmp_path))


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    assert said(tmp_path, '[tool.dvc-bucket]\nlock-file = "one"\n').lock_file == "one"
    assert said(tmp_path, '[tool.dvc-bucket]\nlock-file = "two"\n').lock_file == "two"


@pytest.mark.parametrize("key", ["data_page", "origins", "Data-Page"])
def test_an_unknown_key_is_refused_with_the_known_ones(tmp_path: Path, key: str) -> None:
    assert refusal(tmp_path, f'{key} = "data"') == (
        f"pyproject.toml, [tool.dvc-bucket]: unknown key {key}. The keys are {KEYS}."
    )


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("lock-file = 3", "lock-file is 3. Write a path from the project's root."),
        ('data-page = ["a"]', "data-page is ['a']. Write a path from the project's root."),
        ('packages = "src"', "packages is 'src'. Write a list of paths from the project's root."),
        ("jobs = 0", "jobs is 0. Write a positive number of stages."),
        ('jobs = "4"', "jobs is '4'. Write a positive number of stages."),
        ("packages = [3]", "packages is 3. Write a list of paths from the project's root."),
    ],
)
def test_a_wrong_type_is_refused(tmp_path: Path, line: str, sentence: str) -> None:
    assert refusal(tmp_path, line) == f"pyproject.toml, [tool.dvc-bucket], {sentence}"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("../data.md", "it leads out of its folder"),
        ("data/../../x", "it leads out of its folder"),
        ("/etc/passwd", "it is an absolute path"),
        ("", "it is not a file name"),
        (".git/config", "it lies in a folder .git, whose files can start programs"),
    ],
)
def test_a_path_outside_of_the_project_is_refused(tmp_path: Path, path: str, why: str) -> None:
    rest = f"is {path!r}, which is not allowed: {why}. Write a path from the project's root."
    said_of_page = refusal(tmp_path, f'data-page = "{path}"')
    assert said_of_page == f"pyproject.toml, [tool.dvc-bucket], data-page {rest}"
    said_of_packages = refusal(tmp_path, f'packages = ["src", "{path}"]')
    assert said_of_packages == f"pyproject.toml, [tool.dvc-bucket], packages {rest}"


@pytest.mark.parametrize("linked", ["data", "data/page.md"])
def test_a_link_that_leads_out_of_the_project_is_refused(tmp_path: Path, linked: str) -> None:
    root, outside = tmp_path / "project", tmp_path / "outside"
    (outside / "page.md").mkdir(parents=True)
    (root / linked).parent.mkdir(parents=True)
    (root / linked).symlink_to(outside / linked.removeprefix("data").lstrip("/"))
    sentence = refusal(root, 'data-page = "data/page.md"')
    assert re.fullmatch(
        r"pyproject\.toml, \[tool\.dvc-bucket\], data-page: 'data/page\.md' is a link to "
        rf"{re.escape(str(outside / 'page.md'))}, outside the project\. Name a file inside the "
        r"project\.",
        sentence,
    )


@pytest.mark.parametrize("text", ["[tool]\ndvc-bucket = 3\n", "tool = 3\n"])
def test_what_is_no_table_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProjectError, match=r"^pyproject\.toml, \[tool\.dvc-bucket\] is not a tab"):
        said(tmp_path, text)


def test_a_file_that_is_not_toml_or_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"pyproject\.toml is not TOML: "):
        said(tmp_path, "[tool")
    (tmp_path / "pyproject.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(ProjectError, match=r"cannot be read \(UnicodeDecodeError\).*git checkout"):
        project_settings.of(Project(tmp_path))
