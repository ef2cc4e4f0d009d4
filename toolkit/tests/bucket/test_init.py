"""`bucket init` without a person: from options and the environment, whole or not at all."""

import dataclasses
import re
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dvc_bucket import Project, Settings
from dvc_bucket.base.errors import BucketError, SettingsError
from dvc_bucket.connection import named_files as places
from dvc_bucket.connection.named_files import Names
from dvc_bucket.jobs import init
from dvc_bucket.jobs.init.dotenv import EnvText
from tests.bucket.init_tools import NEW, PLACES, copy_places, run_git
from tests.bucket.store_tools import BUCKET, files, run, secret_of

OPTIONS = [
    "--name=tides",
    f"--endpoint={NEW.endpoint}",
    "--region=eu-north-1",
    "--bucket=lab-data",
    "--prefix=group/tides",
]
KEYS = {"OS_ACCESS_KEY_ID": "key", "OS_SECRET_ACCESS_KEY": "secret"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return copy_places(tmp_path / "clone")


def set_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


def test_options_and_keys_of_the_environment_are_enough(project: Project) -> None:
    done = run(project, "init", *OPTIONS, "--yes", "--no-doctor", **KEYS)
    assert done.returncode == 0
    assert done.stderr == ""
    assert places.current(project) == NEW
    settings = Settings.load(project, {})
    assert (settings.endpoint_url, settings.bucket_name) == (NEW.endpoint, NEW.bucket)
    assert (settings.access_key_id, settings.region) == ("key", NEW.region)
    assert secret_of(settings) == "secret"
    assert "secret" not in done.stdout
    assert stat.S_IMODE(project.env_file.stat().st_mode) == 0o600
    shell = "set -a; . ./.env; echo $AWS_ACCESS_KEY_ID $AWS_ENDPOINT_URL $AWS_DEFAULT_REGION"
    said = subprocess.run(
        ["sh", "-c", shell], cwd=project.root, capture_output=True, text=True, check=True
    )
    assert said.stdout == f"key {NEW.endpoint} {NEW.region}\n"

    before = files(project.root)
    again = run(project, "init", *OPTIONS, "--yes", "--no-doctor", **KEYS)
    said_again = "Nothing to change in the tracked files.\n.env does not change.\n"
    assert (again.returncode, again.stdout) == (0, said_again)
    assert run(project, "init", "--no-doctor").stdout == said_again
    assert files(project.root) == before


def test_without_a_terminal_and_yes_it_shows_the_diff_and_writes_nothing(project: Project) -> None:
    before = files(project.root)
    done = run(project, "init", *OPTIONS)
    assert done.returncode == 1
    assert f"+    endpointurl = {NEW.endpoint}\n" in done.stdout
    assert done.stderr == (
        "bucket: Nothing was written, because there is no terminal to ask on. "
        "Add --yes to write it.\n"
    )
    assert files(project.root) == before


def test_without_keys_placeholders_stay_and_the_doctor_says_so(project: Project) -> None:
    done = run(project, "init", *OPTIONS, "--yes")
    assert done.returncode == 1
    assert "Fill in: OS_ACCESS_KEY_ID, OS_SECRET_ACCESS_KEY." in done.stdout
    assert re.search(r"FAILED: settings. OS_ACCESS_KEY_ID .* is not filled in", done.stdout)
    assert places.current(project) == NEW


@pytest.mark.parametrize(
    ("option", "bad"),
    [
        ("project", "Tides"),
        ("project", "tides_of"),
        ("project", ""),
        ("endpoint", "https://s3.example.org/v1/AUTH_tides"),
        ("endpoint", "https://s3.example.org)"),
        ("endpoint", "s3.example.org"),
        ("endpoint", "https://s3.exämple.org"),
        ("endpoint", ""),
        ("region", "eu north"),
        ("region", "$(id)"),
        ("bucket", "Lab_Data"),
        ("bucket", "s3://lab-data"),
        ("bucket", ""),
        ("prefix", ""),
        ("prefix", "a//b"),
        ("prefix", "/tides"),
        ("prefix", "tides/"),
        ("prefix", "group/../tides"),
        ("prefix", "."),
    ],
)
def test_what_cannot_be_right_is_refused_in_a_sentence(
    project: Project, option: str, bad: str
) -> None:
    before = files(project.root)
    with pytest.raises(SettingsError) as caught:
        init.run(project, dataclasses.replace(NEW, **{option: bad}), yes=True)
    sentence = str(caught.value)
    assert sentence.startswith(option.capitalize())
    told = f"{len(bad)} characters (not shown)" if option == "bucket" else repr(bad)
    assert told in sentence or "the value is empty" in sentence
    assert "\n" not in sentence
    assert files(project.root) == before


def test_one_value_changes_alone(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    set_keys(monkeypatch)
    init.run(project, NEW, yes=True)
    before = files(project.root)
    init.run(project, Names(prefix="group/waves"), yes=True)
    assert places.current(project) == dataclasses.replace(NEW, prefix="group/waves")
    after = files(project.root)
    assert {name for name in after if after[name] != before[name]} == {
        ".dvc/config",
        "data/README.md",
    }


def test_the_origin_of_a_renamed_clone_stays_and_is_named(project: Project) -> None:
    run_git(project.root, "init", "-q")
    run_git(project.root, "remote", "add", "origin", "https://me:token@git.example.org/template")
    done = run(project, "init", *OPTIONS, "--yes", "--no-doctor", **KEYS)
    assert "git remote set-url origin URL" in done.stdout
    assert "token" not in done.stdout
    assert run_git(project.root, "remote", "get-url", "origin").endswith("org/template\n")
    assert "origin" not in run(project, "init", "--yes", "--no-doctor", **KEYS).stdout


def test_a_prefix_that_is_the_name_follows_it(project: Project) -> None:
    assert init.plan(project, Names(project="tides")).names.prefix == "tides"
    init.run(project, Names(prefix="group/tides"), yes=True)
    assert init.plan(project, Names(project="waves")).names.prefix == "group/tides"


def test_blanks_and_a_last_slash_are_no_part_of_an_answer(project: Project) -> None:
    given = Names(" tides", f"{NEW.endpoint}/ ", " lab-data ", "group/tides ", " eu-north-1")
    assert init.plan(project, given).names == NEW


def test_aws_needs_a_region_only(project: Project) -> None:
    init.run(project, Names(endpoint="AWS", region="eu-north-1"), yes=True)
    assert places.current(project).endpoint == "https://s3.eu-north-1.amazonaws.com"
    init.run(project, Names(region="eu-west-3"), yes=True)
    assert places.current(project).endpoint == "https://s3.eu-west-3.amazonaws.com"


def break_last_place(project: Project) -> None:
    (project.root / "LICENSE").write_bytes(b"\xff")


def break_env(project: Project) -> None:
    project.env_file.write_text("OS_ENDPOINT_URL=https://s3.example.org\n")


def break_env_with_a_line_that_shells_read_otherwise(project: Project) -> None:
    project.env_file.write_text("OS_ACCESS_KEY_ID = key\n")


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (break_last_place, "LICENSE cannot be read"),
        (break_env, r"\.env has no line OS_BUCKET_NAME=\.\.\. Add it"),
        (break_env_with_a_line_that_shells_read_otherwise, r"\.env, line 1.*spaces around `=`"),
    ],
)
def test_what_fails_last_leaves_the_first_unwritten(
    project: Project, fault: Callable[[Project], None], sentence: str
) -> None:
    assert PLACES[-1].file == "LICENSE"
    fault(project)
    before = files(project.root)
    with pytest.raises(BucketError, match=sentence):
        init.run(project, NEW, yes=True)
    assert files(project.root) == before


def test_what_was_interrupted_is_finished_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_keys(monkeypatch)
    whole = copy_places(tmp_path / "whole")
    init.run(whole, NEW, yes=True)
    end = files(whole.root)
    for number in range(len(PLACES) + 1):
        project = copy_places(tmp_path / str(number))
        planned = init.plan(project, NEW)
        # Killed after so many files: they are written from the last one on, and .env at the end.
        first = dict(list(planned.tracked.items())[len(PLACES) - number :])
        dataclasses.replace(planned, tracked=first, env=EnvText("", "")).write()
        assert not project.env_file.exists()
        after = files(project.root)
        same = [place.file for place in PLACES if after[place.file] == end[place.file]]
        assert len(same) == number
        init.run(project, NEW, yes=True)
        assert files(project.root) == end


def test_a_full_disk_is_named_and_the_names_that_count_are_the_last_to_change(
    tmp_path: Path, project: Project
) -> None:
    whole = copy_places(tmp_path / "whole")
    for root in (project.root, whole.root):
        with (root / "pyproject.toml").open("a") as file:
            file.write("# A file that is longer than the limit below.\n" * 100)
    arguments = ["init", *OPTIONS, "--yes", "--no-doctor"]
    assert run(whole, *arguments).returncode == 0
    before, end = files(project.root), files(whole.root)
    # No file may be longer than 4 KiB: LICENSE, CITATION.cff and README.md are not.
    limited = ["sh", "-c", 'ulimit -f 8; exec "$@"', "sh", str(BUCKET), *arguments]
    done = subprocess.run(limited, cwd=project.root, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "bucket: pyproject.toml could not be written: File too large. "
        "Fix this, then run the same `bucket init` again.\n"
    )
    after = files(project.root)
    written = {"LICENSE", "CITATION.cff", "README.md"}
    assert after == before | {name: end[name] for name in written}
    assert run(project, *arguments).returncode == 0
    assert files(project.root) == end
