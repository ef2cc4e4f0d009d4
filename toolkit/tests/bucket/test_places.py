"""The tracked files that name project, endpoint, bucket and prefix: read, and written again."""

import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvc_bucket import Project
from dvc_bucket.base.errors import ProjectError, SettingsError
from dvc_bucket.connection import named_files as places
from dvc_bucket.connection.dvc_config import read, remote_of
from dvc_bucket.connection.named_files import Names
from dvc_bucket.connection.settings import BUCKET_NAME
from dvc_bucket.jobs.init import answers
from tests.bucket.init_tools import NEW, PLACES, copy_places, write
from tests.projects import NAMES, copy_files, text

FILES = [place.file for place in PLACES]
TEXTS = {place: text(place.file) for place in PLACES}


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


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return copy_places(tmp_path / "clone")


def test_a_project_names_the_same_everywhere(project: Project) -> None:
    for file, names in places.named(project).items():
        assert names.with_defaults(NAMES) == NAMES, file
    assert {file for file, names in places.named(project).items() if names.endpoint} == {*FILES[:2]}
    assert places.current(project) == NAMES


def test_the_same_names_change_no_byte(project: Project) -> None:
    assert places.rewritten(project, NAMES) == {}


@settings(max_examples=50)
@given(valid_names)
def test_what_is_written_is_read_again(names: Names) -> None:
    for place, before in TEXTS.items():
        after = place.read(place.write(before, names, NAMES))
        says = {what for what, value in vars(place.read(before)).items() if value is not None}
        expected = {what: value for what, value in vars(names).items() if what in says}
        assert after == Names(**expected), place.file


@settings(max_examples=50)
@given(valid_names)
def test_and_back_again_is_the_same_byte_for_byte(names: Names) -> None:
    for place, before in TEXTS.items():
        there = place.write(before, names, NAMES)
        assert place.write(there, NAMES, names) == before


def test_each_place_says_the_new_names_and_keeps_the_rest(project: Project) -> None:
    before = {file: (project.root / file).read_text().splitlines() for file in FILES}
    write(project, NEW)
    new = {what: value for what, value in vars(NEW).items() if value}
    assert said(project) == {
        ".dvc/config": {what: new[what] for what in ("endpoint", "bucket", "prefix", "region")},
        "data/README.md": {what: new[what] for what in ("endpoint", "bucket", "prefix")},
        "pyproject.toml": {"project": new["project"]},
        "README.md": {"project": new["project"]},
        "CITATION.cff": {"project": new["project"]},
        "LICENSE": {},
    }
    for file, lines in before.items():
        after = (project.root / file).read_text().splitlines()
        if file == ".dvc/config":
            assert after.pop() == "    region = eu-north-1"
        assert len(after) == len(lines)
        changed = [(a, b) for a, b in zip(lines, after, strict=True) if a != b]
        assert 1 <= len(changed) <= 4, file
    page = (project.root / "data/README.md").read_text()
    assert "`s3://lab-data/published/" in page
    remote = read(project.dvc_config)['remote "storage"']
    assert dict(remote) == {
        "url": "s3://lab-data/group/tides",
        "endpointurl": NEW.endpoint,
        "region": NEW.region,
    }


def test_a_dvc_config_in_a_style_of_its_own_is_left_alone_where_it_says_the_same(
    project: Project,
) -> None:
    style = f"[core]\nremote=storage\n['remote \"storage\"']\nendpointurl={NAMES.endpoint}\n"
    style += "url=s3://research-data/river-levels/\n\n\n"
    project.dvc_config.write_text(style)
    assert places.rewritten(project, NAMES) == {}


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


@pytest.mark.parametrize("file", FILES[:2])
def test_a_place_that_is_missing_is_named(project: Project, file: str) -> None:
    (project.root / file).unlink()
    with pytest.raises(ProjectError, match=rf"{re.escape(file)}.*git checkout"):
        places.rewritten(project, NEW)


def test_pages_that_somebody_does_without_are_not_missed(project: Project) -> None:
    settings = project.root / "pyproject.toml"
    settings.write_text(settings.read_text().replace('license-file = "LICENSE"\n', ""))
    for file in FILES[3:]:
        (project.root / file).unlink()
    write(project, NEW)
    assert places.current(project) == NEW


def test_a_project_that_has_only_what_dvc_and_its_connection_need_is_written(
    tmp_path: Path,
) -> None:
    project = copy_files(tmp_path / "clone", [*FILES[:1], ".env.example"])
    example = project.env_example.read_bytes()
    write(project, NEW)
    assert list(places.named(project)) == FILES[:1]
    assert project.env_example.read_bytes() == example
    assert places.current(project) == dataclasses.replace(NEW, project=None)


def test_pages_are_where_the_table_says(project: Project) -> None:
    moved = {"data/README.md": "docs/where.md", "LICENSE": "COPYING"}
    settings = project.root / "pyproject.toml"
    for old, new in moved.items():
        settings.write_text(settings.read_text().replace(f'"{old}"', f'"{new}"'))
        (project.root / new).parent.mkdir(exist_ok=True)
        (project.root / old).rename(project.root / new)
    write(project, NEW)
    assert "`s3://lab-data/group/tides`" in (project.root / "docs/where.md").read_text()
    assert "The tides contributors" in (project.root / "COPYING").read_text()
    assert places.current(project) == NEW


@pytest.mark.parametrize("file", ["data/README.md", "LICENSE"])
def test_a_page_that_the_table_names_must_be_there(project: Project, file: str) -> None:
    (project.root / file).unlink()
    with pytest.raises(ProjectError, match=f"{file} cannot be read"):
        places.rewritten(project, NEW)


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
        ("data/README.md", "endpoint"),
        ("data/README.md", "bucket"),
        ("data/README.md", "results and fetched data"),
        (".dvc/config", "url"),
        (".dvc/config", "remote"),
    ],
)
def test_a_row_that_is_missing_is_named(project: Project, file: str, row: str) -> None:
    path = project.root / file
    without, found = re.subn(rf"(?m)^(\| |    )?{row}\b.*\n", "", path.read_text(), count=1)
    assert found == 1
    path.write_text(without)
    with pytest.raises(ProjectError, match=row):
        places.rewritten(project, NEW)


@pytest.mark.parametrize(
    ("config", "fix"),
    [
        ("[core]\n", "dvc remote add --default storage s3://BUCKET/PREFIX"),
        ("['remote \"lab\"']\n    url = s3://lab/data\n", "dvc remote default NAME"),
    ],
)
def test_a_configuration_without_a_default_remote_gets_the_command_that_sets_one(
    config: str, fix: str
) -> None:
    with pytest.raises(ProjectError, match=fix):
        remote_of(config)
