"""A save is whole: data, commit and push; and where a step fails, none after it is done."""

import subprocess
from collections.abc import Iterator

import pytest

from dvc_bucket.base import ports
from dvc_bucket.connection.dvc_config import with_options
from dvc_bucket.connection.env_file import create_env
from dvc_bucket.store.server import Server
from tests.bucket.git_tools import TOKENS, TOOLS
from tests.conftest import discard
from tests.new.growing import ON_PATH, Growing, make


@pytest.fixture(scope="module")
def river(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Growing]:
    """A project that ran, with an own store, a bare repository as its origin, and data."""
    project = make(tmp_path_factory.mktemp("save") / "river")
    endpoint = f"http://127.0.0.1:{ports.free_ports(1)[0]}"
    config = with_options(project.project.dvc_config.read_text(), {"endpointurl": endpoint})
    project.project.dvc_config.write_text(config)
    create_env(project.project)
    project.git("commit", "--quiet", "--all", "-m", "Port", "--no-verify")
    project.git("init", "--quiet", "--bare", "../origin")
    project.git("remote", "add", "origin", str(project.root.parent / "origin"))
    project.write("data/raw/gauges.csv", "1,2\n")
    project.bucket("add", "data/raw/gauges.csv")
    project.bucket("repro")
    yield project
    discard(project.project)


def save(project: Growing, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    words = words or ("-m", "A save")
    return project.run(TOOLS / "bucket", "save", *words, check=False, env=ON_PATH | env)


def pushed(project: Growing) -> str:
    return project.git("ls-remote", "origin", "HEAD").stdout.partition("\t")[0]


def test_the_first_save_pushes_data_commits_what_records_it_and_pushes(river: Growing) -> None:
    """Of the reports, the one that git keeps; and the ignore files that DVC wrote."""
    done = save(river, "-m", "Levels of 2024")
    assert done.returncode == 0
    assert river.changes == ""
    files = set(river.git("show", "--name-only", "--format=%s", "HEAD").stdout.split("\n"))
    assert {"Levels of 2024", "dvc.lock", "data/raw/gauges.csv.dvc"} <= files
    assert "reports/highest.csv" in files
    assert pushed(river) == river.head
    steps = [line.partition(":")[0] for line in done.stdout.splitlines()]
    order = ["stages", "staged", "secrets", "data", "commit", "push"]
    assert [step for step in dict.fromkeys(steps) if step in order] == order
    river.bucket("verify")


def test_a_second_save_has_nothing_to_do(river: Growing) -> None:
    before = river.head
    done = save(river)
    assert done.returncode == 0
    assert "commit: nothing has changed since the last commit" in done.stdout
    assert (river.head, pushed(river)) == (before, before)


def refused(project: Growing, *words: str, **env: str) -> str:
    """The message of a save that made no commit."""
    before = project.head
    done = save(project, *words, **env)
    assert done.returncode == 1
    assert (project.head, pushed(project)) == (before, before)
    return done.stderr


def test_a_stale_stage_is_refused(river: Growing) -> None:
    river.write("params.yaml", "days: 7\n")
    assert "Stale: levels. `bucket repro`" in refused(river)


def test_an_input_that_is_not_staged_is_refused(river: Growing) -> None:
    river.bucket("repro")
    said = refused(river)
    assert "Stages read files that are not staged: params.yaml." in said
    assert river.git("diff", "--cached", "--name-only").stdout == ""


def test_a_secret_is_refused_before_anything_leaves(river: Growing) -> None:
    river.git("add", "params.yaml")
    river.add("notes.txt", f"key = {TOKENS['github-pat']}\n")
    assert "notes.txt, line 1" in refused(river)
    river.git("rm", "--quiet", "--force", "notes.txt")
    said = refused(river, "-m", f"Key {TOKENS['github-pat']}")
    assert "commit message" in said
    assert TOKENS["github-pat"] not in said


def test_where_the_data_cannot_be_pushed_nothing_is_committed(river: Growing) -> None:
    port = ports.free_ports(1)[0]
    said = refused(river, OS_ENDPOINT_URL=f"https://127.0.0.1:{port}", OS_RETRY_SECONDS="1")
    assert "`dvc push` failed" in said
    assert "Nothing was committed" in said


def test_where_a_hook_refuses_the_commit_the_data_is_kept_and_a_second_run_ends_it(
    river: Growing,
) -> None:
    hook = river.root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    assert "`git commit` failed" in refused(river)
    hook.unlink()
    origin = river.root.parent / "origin"
    origin.rename(origin.with_name("away"))
    before = river.head
    done = save(river)
    assert (done.returncode, river.head != before) == (1, True)
    assert "`git push` failed" in done.stderr
    origin.with_name("away").rename(origin)
    assert save(river).returncode == 0
    assert pushed(river) == river.head


def test_changed_data_of_dvc_add_and_stages_long_gone_are_refused(river: Growing) -> None:
    river.write("data/raw/gauges.csv", "1,3\n")
    assert "`bucket add data/raw/gauges.csv` records the current data" in refused(river)
    river.bucket("add", "data/raw/gauges.csv")
    flow = river.text("dvc.yaml")
    river.write("dvc.yaml", flow.partition("  highest:")[0])
    assert "dvc.lock still has highest" in refused(river)
    river.write("dvc.yaml", flow)


def test_the_embedded_store_is_started_for_a_save(river: Growing) -> None:
    Server(river.project).stop()
    assert save(river).returncode == 0
    assert river.changes == ""


def test_without_a_remote_of_git_the_commit_stays_here(river: Growing) -> None:
    river.git("remote", "remove", "origin")
    river.write("notes.txt", "a note\n")
    river.git("add", "notes.txt")
    done = save(river)
    assert done.returncode == 0
    assert "has no remote, so git pushes nothing" in done.stdout
    assert river.changes == ""


def test_a_stage_that_always_runs_is_not_stale(river: Growing) -> None:
    flow = river.text("dvc.yaml").replace("  highest:\n", "  highest:\n    always_changed: true\n")
    river.write("dvc.yaml", flow)
    river.bucket("repro")
    river.git("add", "dvc.yaml")
    assert save(river).returncode == 0


def test_an_empty_message_is_wrong_usage(river: Growing) -> None:
    assert save(river, "-m", " ").returncode == 2
    assert river.run(TOOLS / "bucket", "save", check=False).returncode == 2
