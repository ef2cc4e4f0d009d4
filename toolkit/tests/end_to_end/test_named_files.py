"""The template's files that name project, endpoint and bucket are known to `bucket init`."""

import re
from pathlib import Path

from dvc_bucket import Project
from dvc_bucket.connection import named_files as places
from dvc_bucket.connection.named_files import Names
from tests.bucket.init_tools import NEW, run_git, write
from tests.end_to_end.clones import REPOSITORY

FILES = [place.file for place in places.all_of(Project(REPOSITORY))]

#: As this repository is cloned.
TEMPLATE = Names(
    project="flight-delays",
    endpoint="http://127.0.0.1:8333",
    bucket="research-data",
    prefix="flight-delays",
    region="us-east-1",
)


def test_the_repository_names_the_same_everywhere() -> None:
    named = places.named(Project(REPOSITORY))
    known = places.current(Project(REPOSITORY))
    for file, names in named.items():
        assert names.with_defaults(known) == known, file
    assert {file for file, names in named.items() if names.endpoint} == set(FILES[:2])
    assert named["pyproject.toml"].project
    assert None not in vars(known).values()


def test_the_same_names_change_no_byte_of_the_repository() -> None:
    project = Project(REPOSITORY)
    assert places.rewritten(project, places.current(project)) == {}


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
        # These have buckets of their own, and the page has messages about them.
        if not file.is_relative_to("toolkit/tests")
        and not file.is_relative_to("template")  # names are what it is about
        and not file.is_relative_to("toolkit/benchmarks")
        if file != Path("toolkit/docs/doctor.md")
        for name in old.findall(text.decode(errors="replace"))
    }
    # They mean the embedded store, wherever the project's data is.
    pages = ("toolkit/docs/own-bucket.md", "toolkit/docs/providers.md", "copier.yml")
    forges = (".github/workflows/reproduce.yml", ".gitlab-ci.yml")
    assert left == {(page, TEMPLATE.endpoint) for page in (*pages, *forges)}
