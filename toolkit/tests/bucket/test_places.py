"""The tracked files that name project, endpoint, bucket and prefix: read, and written anew."""

import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvc_bucket import Project
from dvc_bucket.base.errors import ProjectError, SettingsError
from dvc_bucket.connection import named_files as places
from dvc_bucket.connection.dvc_config import read
from dvc_bucket.connection.named_files import PLACES, Names
from dvc_bucket.connection.settings import BUCKET_NAME
from dvc_bucket.jobs.init import answers
from tests.bucket.init_tools import NEW, TEMPLATE, copy_places, run_git, template_text
from tests.conftest import REPOSITORY

FILES = [place.file for place in PLACES]
TEXTS = {place: template_text(place) for place in PLACES}


def is_valid(what: str, value: str) -> bool:
    try:
        answers.check(what, value)
    except SettingsError:
        return False
    return value != answers.AWS


hosts = st.from_regex(r"[a-z0-9]+([.-][a-z0-9]+){0,3}|\[[0-9a-f:]{3,9}\]", fullmatch=True)
ports = st.none() | st.integers(1, 65535)
endpoints = st.builds(
    lambda scheme, host, port: f"{scheme}://{host}" + (f":{port}" if port else ""),
    st.sampled_from(["http", "https"]),
    hosts,
    ports,
)
valid_names = st.builds(
    Names,
    project=st.from_regex(places.NAME, fullmatch=True),
    endpoint=endpoints.filter(lambda value: is_valid("endpoint", value)),
    bucket=st.from_regex(BUCKET_NAME, fullmatch=True),
    prefix=st.from_regex(answers.PREFIX, fullmatch=True),
    region=st.from_regex(answers.REGION, fullmatch=True),
)


def said(project: Project) -> dict[str, dict[str, str]]:
    """By file, what it says."""
    return {
        file: {what: value for what, value in vars(names).items() if value is not None}
        for file, names in places.named(project).items()
    }


def write(project: Project, names: Names) -> None:
    for path, (_, after) in places.rewritten(project, names).items():
        path.write_text(after)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return copy_places(tmp_path / "clone")


def test_the_repository_names_the_same_everywhere() -> None:
    named = places.named(Project(REPOSITORY))
    known = places.current(Project(REPOSITORY))
    for file, names in named.items():
        assert names.with_defaults(known) == known, file
    assert {file for file, names in named.items() if names.endpoint} == set(FILES[:3])
    assert named["pyproject.toml"].project
    assert None not in vars(known).values()


def test_the_same_names_change_no_byte_of_the_repository() -> None:
    project = Project(REPOSITORY)
    assert places.rewritten(project, places.current(project)) == {}


@settings(max_examples=50)
@given(valid_names)
def test_what_is_written_is_read_again(names: Names) -> None:
    for place, text in TEXTS.items():
        before = place.read(text)
        after = place.read(place.write(text, names, TEMPLATE))
        says = {what for what, value in vars(before).items() if value is not None}
        expected = {what: value for what, value in vars(names).items() if what in says}
        assert after == Names(**expected), place.file


@settings(max_examples=50)
@given(valid_names)
def test_and_back_again_is_the_same_byte_for_byte(names: Names) -> None:
    for place, text in TEXTS.items():
        there = place.write(text, names, TEMPLATE)
        assert place.write(there, TEMPLATE, names) == text


def test_each_place_says_the_new_names_and_keeps_the_rest(project: Project) -> None:
    before = {file: (project.root / file).read_text().splitlines() for file in FILES}
    write(project, NEW)
    new = {what: value for what, value in vars(NEW).items() if value}
    assert said(project) == {
        ".dvc/config": {what: new[what] for what in ("endpoint", "bucket", "prefix")},
        ".env.example": {what: new[what] for what in ("endpoint", "bucket", "region")},
        "data/README.md": {what: new[what] for what in ("endpoint", "bucket", "prefix")},
        "pyproject.toml": {"project": new["project"]},
        "README.md": {"project": new["project"]},
        "CITATION.cff": {"project": new["project"]},
        "LICENSE": {},
    }
    for file, lines in before.items():
        after = (project.root / file).read_text().splitlines()
        assert len(after) == len(lines)
        changed = [(a, b) for a, b in zip(lines, after, strict=True) if a != b]
        assert 1 <= len(changed) <= 4, file
    page = (project.root / "data/README.md").read_text()
    assert "`s3://lab-data/published/" in page
    remote = read(project.dvc_config)['remote "storage"']
    assert dict(remote) == {"url": "s3://lab-data/group/tides", "endpointurl": NEW.endpoint}


def test_a_dvc_config_in_a_style_of_its_own_is_left_alone_where_it_says_the_same(
    project: Project,
) -> None:
    style = f"[core]\nremote=storage\n['remote \"storage\"']\nendpointurl={TEMPLATE.endpoint}\n"
    style += "url=s3://research-data/flight-delays/\n\n\n"
    project.dvc_config.write_text(style)
    assert places.rewritten(project, TEMPLATE) == {}


def test_an_endpoint_of_aws_itself_needs_no_url(project: Project) -> None:
    write(project, dataclasses.replace(NEW, endpoint=""))
    assert "endpointurl" not in read(project.dvc_config)['remote "storage"']
    assert {names.endpoint for names in places.named(project).values()} == {"", None}


def test_a_title_in_words_and_a_holder_of_ones_own_are_left_alone(project: Project) -> None:
    (project.root / "README.md").write_text("# Tides of the North Sea\n\n```sh\n# flight\n```\n")
    (project.root / "LICENSE").write_text("Copyright (c) 2026 The tides contributors\n")
    before = {file: (project.root / file).read_bytes() for file in ("README.md", "LICENSE")}
    write(project, NEW)
    assert {file: (project.root / file).read_bytes() for file in before} == before
    assert places.current(project) == NEW


@pytest.mark.parametrize("file", FILES[:3])
def test_a_place_that_is_missing_is_named(project: Project, file: str) -> None:
    (project.root / file).unlink()
    with pytest.raises(ProjectError, match=rf"{re.escape(file)}.*git checkout"):
        places.rewritten(project, NEW)


def test_pages_that_somebody_does_without_are_not_missed(project: Project) -> None:
    for file in FILES[4:]:
        (project.root / file).unlink()
    write(project, NEW)
    assert places.current(project) == NEW


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("fault", ["Windows", "Latin-1"])
def test_a_place_that_cannot_be_read_as_it_should_is_named(
    project: Project, file: str, fault: str
) -> None:
    path = project.root / file
    if fault == "Windows":
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    else:
        path.write_bytes(path.read_bytes() + "é".encode("latin-1"))
    with pytest.raises(ProjectError, match=re.escape(file)):
        places.rewritten(project, NEW)


@pytest.mark.parametrize(
    ("file", "row"),
    [
        (".env.example", "OS_ENDPOINT_URL"),
        (".env.example", "OS_BUCKET_NAME"),
        (".env.example", "OS_REGION"),
        ("data/README.md", "endpoint"),
        ("data/README.md", "bucket"),
        ("data/README.md", "results and fetched data"),
        (".dvc/config", "url"),
        (".dvc/config", "remote"),
    ],
)
def test_a_row_that_is_missing_is_named(project: Project, file: str, row: str) -> None:
    path = project.root / file
    text, found = re.subn(rf"(?m)^(\| |    )?{row}\b.*\n", "", path.read_text(), count=1)
    assert found == 1
    path.write_text(text)
    with pytest.raises(ProjectError, match=row):
        places.rewritten(project, NEW)


def test_no_other_tracked_file_names_project_endpoint_or_bucket(tmp_path: Path) -> None:
    tracked = [Path(file) for file in run_git(REPOSITORY, "ls-files").splitlines()]
    tracked = [file for file in tracked if (REPOSITORY / file).is_file()]
    for file in tracked:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes((REPOSITORY / file).read_bytes())
    write(Project(tmp_path), NEW)
    new = {file: (tmp_path / file).read_bytes() for file in tracked}
    changed = {str(file) for file in tracked if new[file] != (REPOSITORY / file).read_bytes()}
    assert changed <= set(FILES)
    old = re.compile(rf"{TEMPLATE.project}|{TEMPLATE.bucket}|{TEMPLATE.endpoint}")
    left = {
        (str(file), name)
        for file, text in new.items()
        # These have buckets of their own.
        if file.parts[:2] not in {("toolkit", "tests"), ("toolkit", "benchmarks")}
        if file != Path("toolkit/docs/doctor.md")  # what was said of those of the tests
        for name in old.findall(text.decode(errors="replace"))
    }
    # Where they mean the embedded store, wherever the project's data lives.
    ci_files = (".github/workflows/reproduce.yml", ".gitlab-ci.yml")
    pages = ("README.md", "toolkit/docs/providers.md", *ci_files)
    assert left <= {(page, TEMPLATE.endpoint) for page in pages}
