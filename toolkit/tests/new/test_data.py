"""New data is tracked, has its row in the page about the data, and git and DVC see it."""

import json
import re
from collections.abc import Iterator

import pytest

from dvc_bucket import Settings, upload
from dvc_bucket.base import data_page
from dvc_bucket.base.data_page import DatasetRow
from dvc_bucket.base.errors import NewError
from dvc_bucket.connection.dvc_config import with_options
from dvc_bucket.connection.env_file import create_env
from dvc_bucket.jobs.new.data import DataRequest, new_data
from dvc_bucket.store.server import Server
from tests.conftest import discard
from tests.new.growing import ON_PATH, Growing, make
from tests.projects import make_project

CC0 = ("--licence", "CC0-1.0", "--origin", "Our own gauges")
PAGE = "data/README.md"


@pytest.fixture(scope="module")
def river(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Growing]:
    """A project whose store runs; its folder of raw data is ignored as the template's is."""
    project = make(tmp_path_factory.mktemp("data") / "river")
    address = make_project(tmp_path_factory.mktemp("port") / "free").dvc_config.read_text()
    endpoint = address.partition("endpointurl = ")[2].split()[0]
    config = with_options(project.project.dvc_config.read_text(), {"endpointurl": endpoint})
    project.project.dvc_config.write_text(config)
    lines = "/data/raw/**\n!/data/**/\n!/data/**/*.dvc\n!/data/**/.gitignore\n"
    project.write(".gitignore", project.text(".gitignore") + lines)
    create_env(project.project)
    Server(project.project).start()
    project.git("add", "--all")
    project.commit("--quiet", "--no-verify")
    yield project
    discard(project.project)


def rows(project: Growing) -> dict[str, DatasetRow]:
    return {row.path: row for row in data_page.rows(project.text(PAGE), PAGE)}


def commands(said: str) -> list[str]:
    """What to type next."""
    return [line.strip() for line in said.splitlines() if line.startswith("  ")]


def test_a_file_or_folder_is_tracked_by_dvc_and_what_is_said_commits_it(river: Growing) -> None:
    river.write("data/raw/a file.csv", "1,2\n")
    river.write("data/raw/nested/deep/one.csv", "3\n")
    for path in ("data/raw/a file.csv", "data/raw/nested/deep/"):
        said = river.bucket("new", "data", path, *CC0).stdout
        assert [command.split()[1] for command in commands(said)] == ["add", "push", "commit"]
        for command in commands(said):
            river.run("sh", "-c", command, env=ON_PATH)
    assert river.changes == ""
    assert {"data/raw/a file.csv.dvc", "data/raw/nested/deep.dvc"} <= tracked(river)
    assert not {"data/raw/a file.csv", "data/raw/nested/deep/one.csv"} & tracked(river)
    assert rows(river)["data/raw/a file.csv"].licence == "CC0-1.0"
    assert "`raw/nested/deep/`" in river.text(PAGE)
    river.bucket("verify")


def tracked(project: Growing) -> set[str]:
    return set(project.git("ls-files", "-z").stdout.split("\0"))


def test_data_is_fetched_from_an_address(river: Growing) -> None:
    source = river.root.parent / "published.csv"
    source.write_text("5\n")
    settings = Settings.load(river.project)
    upload(source, "published/levels.csv", settings=settings)
    address = f"s3://{settings.bucket_name}/published/levels.csv"
    options = ("new", "data", "data/raw/fetched/levels.csv", "--from", address, *CC0)
    said = river.bucket(*options, "--json").stdout
    page = river.text(PAGE)
    assert json.loads(said) == {
        "path": "data/raw/fetched/levels.csv",
        "tracked_by": "dvc",
        "files": ["data/raw/fetched/levels.csv.dvc", PAGE],
    }
    assert river.text("data/raw/fetched/levels.csv") == "5\n"
    assert address in river.text("data/raw/fetched/levels.csv.dvc")
    river.bucket(*options)  # again, as after an interruption
    assert river.text(PAGE) == page
    river.git("add", "--all")
    river.commit("--quiet", "--no-verify")


def test_small_data_is_kept_in_git_although_git_ignores_its_folder(river: Growing) -> None:
    river.write("data/raw/sites/one.csv", "1\n")
    river.write("data/raw/small.csv", "2\n")
    for path in ("data/raw/sites", "data/raw/small.csv"):
        said = river.bucket("new", "data", path, "--in-git", *CC0).stdout
        for command in commands(said):
            river.run("sh", "-c", command, env=ON_PATH)
    assert river.changes == ""
    assert {"data/raw/sites/one.csv", "data/raw/small.csv"} <= tracked(river)


REFUSALS = [
    # path, options, words of the message
    ("data/raw/no.csv", CC0, "this file or folder does not exist"),
    ("data/interim/levels.csv", CC0, "levels has the output"),
    ("../x.csv", CC0, "leads out of its folder"),
    ("data/raw/large.csv", (*CC0, "--in-git"), "--in-git allows up to 1.0 MB"),
    ("ignored/x.csv", (*CC0, "--in-git"), "Remove that line"),
    ("data/raw/large.csv", (*CC0, "--from", "https://example.org/x"), "exists already"),
    ("data/x", (*CC0, "--from", "https://a:se" + "cret@example.org/x"), "contains a password"),
    ("data/x", (*CC0, "--from", "s3://b/x?X-Amz-Sig" + "nature=0a"), "contains a password"),
    ("data/listed.csv", CC0, "already has a row for data/listed.csv"),
]


@pytest.fixture(scope="module")
def full(river: Growing) -> Growing:
    """The same project with files that cannot be added."""
    river.write("data/raw/large.csv", "x" * 1_000_001)
    river.write("ignored/x.csv", "1\n")
    river.write("data/listed.csv", "1\n")
    row = DatasetRow("data/listed.csv", "Somebody", "MIT")
    river.write(PAGE, data_page.with_row(river.text(PAGE), PAGE, row))
    river.write(".gitignore", river.text(".gitignore") + "ignored/\n")
    return river


@pytest.mark.parametrize(("path", "options", "words"), REFUSALS)
def test_what_cannot_be_added_is_refused_and_nothing_changes(
    full: Growing, path: str, options: tuple[str, ...], words: str
) -> None:
    before = full.changes
    source = options[options.index("--from") + 1] if "--from" in options else ""
    request = DataRequest(path, options[1], options[3], source, "--in-git" in options)
    with pytest.raises(NewError, match=re.escape(words)) as error:
        new_data(full.project, request, lambda: Settings.load(full.project))
    assert "secret" not in str(error.value)
    assert full.changes == before


@pytest.mark.parametrize(
    "options",
    [
        ("--licence", "free", "--origin", "x"),
        ("--licence", "MIT", "--origin", " "),
        ("--licence", "MIT"),
        ("--licence", "MIT", "--origin", "x", "--from", "/home/x.csv"),
    ],
)
def test_wrong_usage(full: Growing, options: tuple[str, ...]) -> None:
    assert full.bucket("new", "data", "data/x.csv", *options, check=False).returncode == 2


def test_dvc_that_fails_is_named_and_the_page_stays(river: Growing) -> None:
    page = river.text(PAGE)
    bucket = Settings.load(river.project).bucket_name
    options = ("--from", f"s3://{bucket}/no-such-object", *CC0)
    done = river.bucket("new", "data", "data/raw/none.csv", *options, check=False)
    assert done.returncode == 1
    assert "`dvc import-url` failed" in done.stderr
    assert river.text(PAGE) == page


ROW = DatasetRow("data/raw/x.csv", "a | b\nc", "MIT")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "# The data\n\n## Datasets\n\n| dataset | origin | licence |\n| --- | --- | --- |\n"),
        ("# Mine\n\nText", "# Mine\n\nText\n\n## Datasets\n\n| dataset | origin | licence |\n"),
        (
            "| Dataset | n | License | Source |\n|--|--|--|--|\n| `a` | 1 | MIT | me |\n\nText\n",
            "| `a` | 1 | MIT | me |\n| `raw/x.csv` |  | MIT | a \\| b c |\n\nText\n",
        ),
        ("| what | value |\n|--|--|\n| a | b |\n", "| a | b |\n\n## Datasets\n"),
    ],
)
def test_a_row_comes_below_the_others_of_its_table(before: str, after: str) -> None:
    text = data_page.with_row(before, PAGE, ROW)
    assert after in text
    assert text.startswith(before.rstrip("\n").partition("\n\nText")[0])
    found = list(data_page.rows(text, PAGE))
    assert found[-1] == DatasetRow("data/raw/x.csv", "a | b c", "MIT")
