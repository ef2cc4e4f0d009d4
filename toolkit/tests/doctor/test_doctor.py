"""What the doctor is: right where all is well, fit for a pipe, harmless to the bucket."""

import contextlib
import json
import os
import pty
import re
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from dvc_bucket.jobs.doctor import CHECKS, examine
from dvc_bucket.jobs.doctor.check import Result
from dvc_bucket.jobs.doctor.patient import MACHINE
from tests import forking
from tests.doctor.case import TOOLS, Case, person
from tests.doctor.conftest import live_as
from tests.doctor.fronts import Ask, Middle, Reply, Request
from tests.doctor.in_network import ELSEWHERE
from tests.stores.access import StoreAccess
from tests.stores.swift import Swift

#: The fixture below.
Examined = Callable[..., dict[str, Result]]

BUCKET = str(TOOLS / "bucket")

#: How long an event may take that comes in milliseconds.
PATIENCE = 30.0


def _doctor(case: Case, *options: str) -> "subprocess.CompletedProcess[str]":
    done: subprocess.CompletedProcess[str] = forking.run(
        [BUCKET, "doctor", *options],
        cwd=case.project.root,
        env=person(case),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    print(done.stdout + done.stderr)
    return done


@pytest.fixture
def examined(case: Case, monkeypatch: pytest.MonkeyPatch) -> Examined:
    """Examines the case in this process, for speed; findings by the name of the check."""

    def by_name(*, read_only: bool = False) -> dict[str, Result]:
        live_as(case, monkeypatch)
        return {result.name: result for result in examine(case.project, read_only=read_only)}

    return by_name


def _store(case: Case, name: str) -> StoreAccess:
    """One of the two stores, as its owner."""
    settings, url = getattr(case.world, name).settings(), getattr(case.world, f"{name}_tls")
    return StoreAccess.through(name, url, settings, case.world.authority.bundle)


def _left(case: Case, name: str = "weed") -> list[str]:
    """Keys of the objects and of the unfinished uploads below the case's prefix."""
    store = _store(case, name)
    place = {"Bucket": store.bucket, "Prefix": f"{case.prefix}/"}
    uploads = store.client().list_multipart_uploads(**place).get("Uploads", [])
    return [*store.keys(place["Prefix"]), *(upload["Key"] for upload in uploads)]


@pytest.mark.parametrize("where", ["weed", "weed_tls", "swift", "swift_tls"])
def test_all_is_well_with_each_store(where: str, case: Case, examined: Examined) -> None:
    store = where.removesuffix("_tls")
    settings = getattr(case.world, store).settings()
    url = settings.endpoint_url if where == store else getattr(case.world, where)
    case.connect(settings, url)
    statuses = {name: result.status for name, result in examined().items()}
    assert statuses == {check.name: "ok" for check in CHECKS}
    assert _left(case, store) == []


def test_all_is_well_through_a_proxy(case: Case, examined: Examined) -> None:
    asked: list[str] = []

    def note(request: Request, _: Ask) -> Reply:
        asked.append(request.method)
        return Reply(200, {})

    with Middle(note) as proxy:
        case.environment["https_proxy"] = proxy.url
        port = case.world.weed_tls.rpartition(":")[2]
        case.connect(case.world.weed.settings(), f"{ELSEWHERE}:{port}")
        results = examined()
    assert {result.status for result in results.values()} == {"ok"}
    assert "(the proxy)" in results["host name (DNS)"].found
    assert set(asked) == {"CONNECT"}


def test_a_session_token_is_accepted(case: Case, examined: Examined) -> None:
    case.connect(case.world.weed.session(), case.world.weed_tls)
    results = examined()
    assert {result.status for result in results.values()} == {"ok"}
    assert results["session token"].found == "accepted"


def test_read_only_writes_nothing(case: Case, examined: Examined) -> None:
    methods: list[str] = []

    def watch(request: Request, ask: Ask) -> Reply:
        methods.append(request.method)
        return ask(request)

    with Middle(watch, case.world.weed.port) as front:
        case.connect(case.world.weed.settings(), front.url)
        results = examined(read_only=True)
    assert set(methods) == {"GET"}
    assert (results["may write"].status, results["may write"].found) == ("skipped", "--read-only")
    assert {result.status for result in results.values()} == {"ok", "skipped"}


def test_json_says_it_all_and_the_exit_status_says_whether(case: Case) -> None:
    case.project.env_file.chmod(0o644)
    broken = _doctor(case, "--json", "--read-only")
    assert broken.returncode == 1
    found = json.loads(broken.stdout)
    assert found["ok"] is False
    failed = [check for check in found["checks"] if check["status"] == "failed"]
    assert [check["name"] for check in failed] == [".env private"]
    assert failed[0]["fix"] == "`chmod 600 .env`"
    assert set(failed[0]) == {"name", "status", "found", "why", "fix", "seconds"}
    assert _doctor(case, "--no-such-option").returncode == 2


def test_a_pipe_gets_plain_lines(case: Case) -> None:
    case.env(OS_BUCKET_NAME="Not_A_Bucket")
    done = _doctor(case)
    assert done.returncode == 1
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert [line for line in done.stdout.splitlines() if line != line.rstrip()] == []
    assert len(re.findall(r"^(ok|FAILED|skipped|warning) ", done.stdout, re.MULTILINE)) == len(
        CHECKS
    )


@pytest.mark.parametrize("no_color", [False, True])
def test_a_terminal_gets_colours_unless_it_wants_none(case: Case, no_color: bool) -> None:
    case.project.env_file.unlink()
    variables = person(case) | {"TERM": "xterm-256color", "COLUMNS": "100"}
    variables |= {"NO_COLOR": "1"} if no_color else {}
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [BUCKET, "doctor"], cwd=case.project.root, env=variables, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        output = b""
        with contextlib.suppress(OSError):  # the terminal's end on Linux
            while piece := os.read(ours, 65536):
                output += piece
        os.close(ours)
    assert process.returncode == 1
    assert b"FAILED" in output
    assert (b"\x1b[1;31m" in output) is not no_color


@pytest.fixture
def slow(case: Case) -> Iterator[Case]:
    """A case whose store takes very long over the second part of a multipart upload."""

    def wait(request: Request, ask: Ask) -> Reply:
        if "partNumber=2" in request.path:
            (case.project.root / "waiting").touch()
            time.sleep(PATIENCE)
        return ask(request)

    with Middle(wait, case.world.weed.port) as front:
        case.connect(case.world.weed.settings(), front.url)
        yield case
        case.connect(case.world.weed.settings(), case.world.weed_tls)


def _interrupted(slow: Case, by: signal.Signals) -> int:
    """Exit status of a doctor that is sent a signal in the middle of its multipart upload."""
    with subprocess.Popen(
        [BUCKET, "doctor"],
        cwd=slow.project.root,
        env=person(slow),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        deadline = time.monotonic() + PATIENCE
        while not (slow.project.root / "waiting").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert len(_left(slow)) == 2  # an object, an upload
        process.send_signal(by)
        output = process.communicate(timeout=PATIENCE)[0].decode()
    print(output)
    assert "Traceback" not in output
    return process.returncode


def test_after_kill_9_the_next_run_removes_what_is_left(slow: Case, examined: Examined) -> None:
    assert _interrupted(slow, signal.SIGKILL) == -signal.SIGKILL
    assert len(_left(slow)) == 2
    slow.connect(slow.world.weed.settings(), slow.world.weed_tls)
    assert {result.status for result in examined().values()} == {"ok"}
    assert _left(slow) == []


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_a_polite_signal_leaves_nothing(slow: Case, by: signal.Signals) -> None:
    assert _interrupted(slow, by) == 128 + by
    assert _left(slow) == []


def test_two_at_once_do_not_disturb_each_other(case: Case) -> None:
    together = [
        subprocess.Popen(
            [BUCKET, "doctor", "--json"],
            cwd=case.project.root,
            env=person(case),
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    said = [json.loads(process.communicate(timeout=60)[0]) for process in together]
    assert [found["ok"] for found in said] == [True, True]
    assert [process.returncode for process in together] == [0, 0]
    assert _left(case) == []


def _leave(case: Case, run: str) -> str:
    """An object as a doctor that was killed leaves it; its key."""
    store, key = _store(case, "weed"), f"{case.prefix}/.doctor/{run}/small"
    store.client().put_object(Bucket=store.bucket, Key=key, Body=b"left")
    return key


def test_only_what_the_dead_of_this_machine_left_is_removed(case: Case, examined: Examined) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    own = _leave(case, f"{MACHINE}-{gone.pid}-{secrets.token_hex(4)}")
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other_process:
        alive = _leave(case, f"{MACHINE}-{other_process.pid}-{secrets.token_hex(4)}")
        other = _leave(case, f"00000000-{gone.pid}-{secrets.token_hex(4)}")
        assert set(_left(case)) == {own, alive, other}
        assert {result.status for result in examined().values()} == {"ok"}
    assert set(_left(case)) == {alive, other}


def test_the_probes_are_not_counted_as_data(case: Case, examined: Examined) -> None:
    _leave(case, "00000000-1-00000000")
    assert examined()["objects"].found == "none yet"


def test_a_reader_reads_what_is_there(case: Case, examined: Examined) -> None:
    key = f"{case.prefix}/there"
    store = _store(case, "swift")
    store.client().put_object(Bucket=store.bucket, Key=key, Body=b"there")
    case.connect(case.world.swift.settings(Swift.READER), case.world.swift_tls)
    results = examined()
    assert results["may write"].status == "skipped"
    assert results["may write"].found.startswith("read only")
    assert results["may read"].found == "the first byte of an existing object"
    assert _left(case, "swift") == [key]
