"""`bucket --verbose` and `BUCKET_LOG=debug` say what a report of a fault needs, and no secret."""

import json
import stat

import pytest

from dvc_bucket.connection.log import FILE, VARIABLE
from tests.failures.world import World
from tests.stores.faults import Faults


def secret_of(world: World) -> str:
    return world.made.store.secret_access_key


def test_verbose_tells_of_each_request_and_its_tries(world: World) -> None:
    world.proxy.faults = Faults("status", every=3, status=503)
    environment = world.environment(world.made.root.parent, {"OS_RETRY_SECONDS": "20"})
    ended = world.runner.run(world.made.root, ["--verbose", "verify", "--deep"], environment)
    assert ended.status == 0
    assert "dvc 3." in ended.output
    assert f"{world.made.prefix}/files/md5" in ended.output
    assert "attempt 1" in ended.output
    assert "attempt 2" in ended.output
    assert "503" in ended.output
    assert secret_of(world) not in ended.output


@pytest.mark.parametrize("words", ["verify --deep", "fetch"])
def test_the_log_has_the_traceback_and_the_terminal_has_not(world: World, words: str) -> None:
    log = world.made.project.log
    log.unlink(missing_ok=True)
    world.proxy.faults = Faults("status", every=1, status=403)
    environment = world.environment(world.made.root.parent, {VARIABLE: FILE})
    ended = world.runner.run(world.made.root, words.split(), environment)
    text = log.read_text()
    assert ended.status not in {0, 2}
    assert "Traceback" not in ended.output
    assert "Traceback" in text
    assert "status code: 403" in text
    assert secret_of(world) not in text
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_link_in_the_place_of_the_log_is_not_followed(world: World) -> None:
    log, elsewhere = world.made.project.log, world.made.root.parent / "elsewhere"
    log.unlink(missing_ok=True)
    log.symlink_to(elsewhere)
    environment = world.environment(world.made.root.parent, {VARIABLE: FILE})
    ended = world.runner.run(world.made.root, ["ls"], environment)
    log.unlink()
    assert ended.status == 0
    assert "cannot write the log" in ended.output
    assert not elsewhere.exists()


def test_the_variable_has_no_other_value(world: World) -> None:
    environment = world.environment(world.made.root.parent, {VARIABLE: "info"})
    ended = world.runner.run(world.made.root, ["ls"], environment)
    assert ended.status == 1
    assert "BUCKET_LOG is 'info'. Set it to debug" in ended.output


def test_the_findings_of_the_doctor_are_a_report(world: World) -> None:
    environment = world.environment(world.made.root.parent, {})
    ended = world.runner.run(world.made.root, ["doctor", "--json"], environment)
    document = json.loads(ended.output[ended.output.index("{") :])
    assert [line.split()[0] for line in document["versions"][:3]] == ["dvc-bucket", "dvc", "Python"]
    assert secret_of(world) not in ended.output
