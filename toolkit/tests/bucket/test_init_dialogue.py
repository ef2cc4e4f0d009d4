"""`bucket init` on a terminal: what it asks, what it shows, and what it never shows."""

import dataclasses
import os
import re
import secrets
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from dvc_bucket import Project, Settings
from dvc_bucket.connection import named_files as places
from dvc_bucket.connection.named_files import Names
from tests.bucket.init_tools import NEW, PLACES, copy_places, run_git
from tests.bucket.store_tools import BUCKET, files, secret_of
from tests.bucket.terminal import Terminal
from tests.projects import NAMES
from tests.stores.fixtures import access

#: Hidden questions.
KEY = "Access key (OS_ACCESS_KEY_ID)"
SECRET = "Secret key (OS_SECRET_ACCESS_KEY)"

WRITE = "Write this? [Y/n]"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return copy_places(tmp_path / "clone")


@pytest.fixture
def start(project: Project, tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Starts `bucket init` on a terminal; ended, if need be, when the test ends."""
    with ExitStack() as started:

        def run(*options: str, **changes: str) -> Terminal:
            env = os.environ | {"HOME": str(tmp_path)} | changes  # nobody's AWS files
            terminal = Terminal([BUCKET, "init", *options], project.root, env)
            return started.enter_context(terminal)

        yield run


def question(text: str, default: str | None) -> str:
    return f"{text} [{default}]"


def answer(terminal: Terminal, now: Names, names: Names) -> None:
    """Answer the five questions, each only where the default is not the wanted one."""
    prefix = names.project if now.prefix == now.project else now.prefix
    for what, text, default in (
        ("project", "Name of the project", now.project),
        ("endpoint", "Endpoint of the S3 API (or: aws)", now.endpoint),
        ("region", "Region", now.region),
        ("bucket", "Bucket", now.bucket),
        ("prefix", "Prefix of this project in the bucket", prefix),
    ):
        wanted = getattr(names, what)
        terminal.answer(question(text, default), "" if wanted == default else wanted)


def test_from_the_template_to_a_store_with_the_secret_in_env_alone(
    request: pytest.FixtureRequest, project: Project, start: Callable[..., Terminal]
) -> None:
    store = access(request, "seaweed")
    run_git(project.root, "init", "-q")
    (project.root / ".gitignore").write_text(".env\n")
    prefix = f"init-{secrets.token_hex(4)}"
    names = Names("tides", store.endpoint_url, store.bucket, prefix, "eu-north-1")
    terminal = start("--cacert", str(store.ca_bundle))
    answer(terminal, NAMES, names)
    terminal.answer(KEY, f"  {store.access_key_id} ")
    terminal.answer(SECRET, f"{store.secret_access_key}\t")
    terminal.read_until(WRITE)
    assert re.search(rf"\n-.*{NAMES.endpoint}.*(\n.*)?\n\+.*{names.endpoint}", terminal.shown)
    assert re.search(rf"\n\+ +region = {names.region}\n", terminal.shown)
    assert places.current(project) == NAMES
    assert not project.env_file.exists()
    commands = [psutil.Process(terminal.pid), *psutil.Process(terminal.pid).children(True)]
    arguments = " ".join(" ".join(process.cmdline()) for process in commands)
    terminal.answer("", "")  # the question was waited for above
    assert terminal.end() == 0
    assert "checks in" in terminal.shown
    assert "failed" not in terminal.shown.rpartition("checks in")[2]

    assert places.current(project) == names
    assert stat.S_IMODE(project.env_file.stat().st_mode) == 0o600
    settings = Settings.load(project, {})
    assert settings.access_key_id == store.access_key_id
    assert secret_of(settings) == store.secret_access_key
    assert settings.ca_bundle == str(store.ca_bundle)
    others = [text for name, text in files(project.root).items() if name != ".env"]
    assert len(others) > len(PLACES)
    for key in (store.access_key_id, store.secret_access_key):
        assert key not in terminal.shown
        assert key not in arguments
        assert not [text for text in others if key.encode() in text]


def test_enter_at_every_question_changes_nothing(
    project: Project, start: Callable[..., Terminal]
) -> None:
    first = start("--no-doctor", "--yes", OS_ACCESS_KEY_ID="key", OS_SECRET_ACCESS_KEY="secret")
    assert first.end() == 0
    for names in (NAMES, NEW):
        copy_places(project.root, names)
        env = project.env_file.read_text().replace(str(NAMES.endpoint), str(names.endpoint))
        env = env.replace(str(NAMES.bucket), str(names.bucket))
        project.env_file.write_text(env.replace(str(NAMES.region), str(names.region)))
        before = files(project.root)
        terminal = start("--no-doctor")
        answer(terminal, names, names)
        if names == NEW:  # an embedded store's are drawn, and nobody's to choose
            terminal.answer("Keep the keys in .env? [Y/n]", "")
        assert terminal.end() == 0
        said = "Nothing to change in the tracked files.\n.env does not change.\n"
        assert terminal.shown.endswith(said)
        assert files(project.root) == before


def test_a_new_collaborator_is_asked_for_the_keys_alone(
    project: Project, start: Callable[..., Terminal]
) -> None:
    copy_places(project.root, NEW)
    before = files(project.root)
    terminal = start("--no-doctor")
    terminal.answer("Use it (you only need keys)? [Y/n]", "")
    terminal.answer(KEY, "key")
    terminal.answer(SECRET, "secret")
    terminal.answer(WRITE, "")
    assert terminal.end() == 0
    assert f"s3://lab-data/group/tides at {NEW.endpoint}" in terminal.shown
    after = files(project.root)
    settings = Settings.load(project, {})
    assert (settings.bucket_name, settings.region) == ("lab-data", "eu-north-1")
    assert {name for name in after if after[name] != before.get(name)} <= {
        ".env",
        ".dvc/config.local",
    }


def test_an_answer_that_cannot_be_right_is_asked_for_again(
    project: Project, start: Callable[..., Terminal]
) -> None:
    before = files(project.root)
    terminal = start()
    for text, default, bad in (
        ("Name of the project", NAMES.project, "Tides"),
        ("Endpoint of the S3 API (or: aws)", NAMES.endpoint, "https://s3.example.org/v1/AUTH_x"),
        ("Region", NAMES.region, "eu north"),
        ("Bucket", NAMES.bucket, "Lab_Data"),
        ("Prefix of this project in the bucket", "tides", "/tides"),
    ):
        terminal.answer(question(text, default), bad)
        told = f"{len(bad)} characters (not shown)" if text == "Bucket" else repr(bad)
        terminal.read_until(f" {told}")
        good = {"Name of the project": "tides", "Region": "eu-north-1", "Bucket": "lab-data"}
        good["Endpoint of the S3 API (or: aws)"] = str(NEW.endpoint)
        terminal.answer(question(text, default), good.get(text, "group/tides"))
    terminal.answer(KEY, "key")
    terminal.answer(SECRET, "'hidden'")
    terminal.read_until("is in quotes")
    terminal.answer(SECRET, "secret")
    terminal.answer(WRITE, "n")
    assert terminal.end() == 1
    assert terminal.shown.endswith("bucket: Nothing was written.\n")
    assert "hidden" not in terminal.shown
    assert files(project.root) == before


@pytest.mark.parametrize("question", ["Region [us-east-1]", KEY, WRITE])
def test_ctrl_c_leaves_everything_as_it_was(
    project: Project, start: Callable[..., Terminal], question: str
) -> None:
    before = files(project.root)
    terminal = start("--name", "tides", "--endpoint", "https://127.0.0.1:1", "--bucket", "lab-data")
    steps = [("Region [us-east-1]", ""), ("Prefix of this project in the bucket [tides]", "")]
    steps += [(KEY, "key"), (SECRET, "secret"), (WRITE, "")]
    for asked, typed in steps:
        if asked == question:
            break
        terminal.answer(asked, typed)
    assert terminal.interrupt(question) in {1, 128 + signal.SIGINT}
    assert "Abort" in terminal.shown
    assert "Traceback" not in terminal.shown
    assert files(project.root) == before


def test_keys_of_another_store_can_be_kept_or_typed_anew(
    project: Project, start: Callable[..., Terminal]
) -> None:
    options = ("--no-doctor", "--endpoint", "https://127.0.0.1:1", "--yes")
    assert start(*options, OS_ACCESS_KEY_ID="key", OS_SECRET_ACCESS_KEY="secret").end() == 0
    for choice, secret in (("y", "secret"), ("n", "second-secret")):
        names = dataclasses.replace(NAMES, endpoint=f"https://127.0.0.1:{len(choice + secret)}")
        terminal = start("--no-doctor")
        was = places.current(project)
        answer(terminal, was, names)
        asked = f"Keep the keys in .env, which were for {was.endpoint}? [Y/n]"
        terminal.answer(asked, choice)
        if choice == "n":
            terminal.answer(KEY, "second-key")
            terminal.answer(SECRET, secret)
        terminal.answer(WRITE, "")
        assert terminal.end() == 0
        settings = Settings.load(project, {})
        assert settings.endpoint_url == names.endpoint
        assert secret_of(settings) == secret


def test_a_person_with_an_aws_setup_needs_no_keys(
    project: Project, start: Callable[..., Terminal]
) -> None:
    terminal = start("--no-doctor", AWS_PROFILE="lab")
    names = dataclasses.replace(NEW, endpoint="aws")
    answer(terminal, NAMES, names)
    terminal.answer(f"{KEY}, or Enter to use your AWS configuration", "")
    terminal.answer(WRITE, "")
    assert terminal.end() == 0
    settings = Settings.load(project, {"AWS_PROFILE": "lab"})
    assert settings.endpoint_url == "https://s3.eu-north-1.amazonaws.com"
    assert (settings.access_key_id, settings.profile) == (None, "lab")
