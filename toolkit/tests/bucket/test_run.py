"""`bucket run`: any program has the connection, and is the process that was started."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from dvc_bucket import Project, Settings
from dvc_bucket.jobs.run import environment
from tests.bucket.store_tools import BUCKET, put, run, secret_of
from tests.stores.fixtures import access

pytestmark = pytest.mark.usefixtures("home")

PRINT = "import json, os; print(json.dumps(dict(os.environ)))"


def test_rclone_and_s5cmd_list_the_bucket(store: Project) -> None:
    put(store, "run/object", b"x")
    listed = run(store, "run", "rclone", "lsf", "storage:research-data/run")
    assert (listed.returncode, listed.stdout) == (0, "object\n")
    listed = run(store, "run", "s5cmd", "ls", "s3://research-data/run/")
    assert (listed.returncode, listed.stdout.split()[-1]) == (0, "object")


def test_they_trust_the_authority_of_the_settings(
    request: pytest.FixtureRequest, project: Project
) -> None:
    remote = access(request, "swift")
    for words in (["rclone", "lsf", "storage:"], ["s5cmd", "ls"]):
        done = run(project, "run", *words, **remote.env)
        assert done.returncode == 0, done.stderr
        assert remote.bucket in done.stdout


def test_a_program_has_every_name(store: Project) -> None:
    settings = Settings.load(store)
    done = run(store, "run", "python", "-c", PRINT, AWS_PROFILE="foreign")
    told = json.loads(done.stdout)
    for name, value in {
        "AWS_ENDPOINT_URL": settings.endpoint_url,
        "AWS_SECRET_ACCESS_KEY": secret_of(settings),
        "S3_ENDPOINT_URL": settings.endpoint_url,
        "RCLONE_CONFIG_STORAGE_ENDPOINT": settings.endpoint_url,
        "RCLONE_CONFIG_STORAGE_SECRET_ACCESS_KEY": secret_of(settings),
    }.items():
        assert told[name] == value
    assert told["MC_HOST_storage"].startswith("http://")
    assert told["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert "AWS_PROFILE" not in told


def test_authorities_take_the_place_of_all_only_for_programs_that_know_no_other_way(
    store: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.load(store).model_copy(update={"ca_bundle": "/ours.pem"})
    monkeypatch.setenv("SSL_CERT_FILE", "/theirs.pem")
    for program, expected in {
        "mcli": "/ours.pem",
        str(tmp_path / "mc"): "/ours.pem",
        "s5cmd": "/theirs.pem",
        "python": "/theirs.pem",
        "rclone": "/theirs.pem",
    }.items():
        told = environment(program, store, settings)
        assert (told["SSL_CERT_FILE"], told["AWS_CA_BUNDLE"]) == (expected, "/ours.pem")
        assert told["RCLONE_CA_CERT"] == "/ours.pem"
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "SSL_CERT_FILE" not in environment("python", store, settings)


def test_keys_that_mc_cannot_be_told_are_left_out(store: Project) -> None:
    colon = {"access_key_id": "with:colon"}  # pragma: allowlist secret
    settings = Settings.load(store).model_copy(update=colon)
    told = environment("rclone", store, settings)
    assert "MC_HOST_storage" not in told
    assert told["RCLONE_CONFIG_STORAGE_ACCESS_KEY_ID"] == "with:colon"  # pragma: allowlist secret


def test_the_program_is_the_process_and_no_secret_is_on_its_command_line(store: Project) -> None:
    command = [str(BUCKET), "run", "cat", "-"]
    with subprocess.Popen(
        command, cwd=store.root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as started:
        assert started.stdin
        assert started.stdout
        started.stdin.write("through\n")
        started.stdin.flush()
        assert started.stdout.readline() == "through\n"
        process = psutil.Process(started.pid)
        assert (process.cmdline(), process.children()) == (["cat", "-"], [])
        started.terminate()
    assert started.returncode == -15


def test_the_exit_status_and_the_options_are_the_programs(store: Project) -> None:
    assert run(store, "run", "sh", "-c", "exit 7").returncode == 7
    done = run(store, "run", "python", "--version")
    assert (done.returncode, done.stdout.split()[0]) == (0, "Python")
    shown = run(store, "run", "rclone", "--help")
    assert (shown.returncode, "rclone [flags]" in shown.stdout) == (0, True)
    ours = run(store, "run", "--help")
    assert "bucket run rclone ls storage:lab-data/my-project" in " ".join(ours.stdout.split())
    assert run(store, "run").returncode == 2
    nameless = run(store, "run", "")
    assert (nameless.returncode, "the program has an empty name" in nameless.stderr) == (2, True)


def test_a_program_that_cannot_be_started_is_one_sentence(store: Project, tmp_path: Path) -> None:
    absent = run(store, "run", "no-such-program", "--help")
    assert (absent.returncode, absent.stderr) == (
        1,
        "bucket: The program no-such-program is neither in .venv nor on the PATH. Install it.\n",
    )
    (tmp_path / "text").write_text("no program")
    (tmp_path / "text").chmod(0o600)
    refused = run(store, "run", str(tmp_path / "text"))
    assert (refused.returncode, refused.stderr) == (
        1,
        f"bucket: {tmp_path / 'text'} cannot be started: Permission denied.\n",
    )
