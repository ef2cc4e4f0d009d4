"""Which connections of a stage are to strangers, and what its traces tell."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dvc_bucket.base.surroundings import foreign_paths
from dvc_bucket.jobs.check import in_clone, trace
from dvc_bucket.jobs.check.trace import Trace
from tests.check.faults import SERVER
from tests.check.small import script, without_strace

#: A name that strace escapes in octal, by letter and as it is.
NAME = 'é\t"\\1>7'


@pytest.mark.parametrize(
    ("own", "strangers"),
    [
        ({80}, [("192.0.2.1", 80), ("example.org", 80)]),
        (set(), [("127.0.0.1", 80), ("192.0.2.1", 80), ("::1", 80), ("example.org", 80)]),
        ({81}, [("127.0.0.1", 80), ("192.0.2.1", 80), ("::1", 80), ("example.org", 80)]),
    ],
)
def test_a_port_is_the_stages_own_if_it_listens_on_it_and_the_address_is_this_machine(
    own: set[int], strangers: list[tuple[str, int]]
) -> None:
    peers = {("127.0.0.1", 80), ("::1", 80), ("192.0.2.1", 80), ("example.org", 80)}
    assert Trace(peers=peers, own=own).strangers() == strangers


@pytest.mark.parametrize("has_strace", [True, False])
def test_a_stage_that_connects_to_itself_is_seen_and_connects_to_no_stranger(
    tmp_path: Path, *, has_strace: bool
) -> None:
    path = os.environ["PATH"] if has_strace else without_strace(tmp_path / "bin")
    environment = {"PATH": path}
    (tmp_path / "server.py").write_text(script(f"{SERVER}\nwrite({NAME!r}, '')"))
    folder = tmp_path / "trace"
    folder.mkdir()
    tracer = trace.choose(environment)
    command = [*tracer.prefix(folder), sys.executable, "server.py"]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    seen = trace.read(folder)
    assert seen
    assert tracer.title.startswith("strace" if has_strace else "Python's audit events")
    assert [host for host, _ in seen.peers] == ["127.0.0.1"]
    assert seen.strangers() == []
    written = {str(tmp_path / name) for name in ("server.txt", NAME)}
    assert {path for path in seen.written if path.startswith(str(tmp_path))} == written
    assert str(tmp_path / "server.py") in seen.read


def test_a_stage_in_which_nothing_was_traced_has_no_trace(tmp_path: Path) -> None:
    (tmp_path / "output.log").touch()
    assert trace.read(tmp_path) is None


def test_a_stage_that_runs_bucket_is_traced_as_well() -> None:
    folder = str(Path(in_clone.__file__).parent)
    assert foreign_paths({"PYTHONPATH": f"/elsewhere:{folder}"}) == ["/elsewhere"]


@pytest.mark.parametrize("body", ["exit 1", "#"])
def test_a_strace_that_may_not_trace_is_not_used(tmp_path: Path, body: str) -> None:
    program = tmp_path / "strace"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o700 if body == "exit 1" else 0o600)
    tracer = trace.choose({"PATH": str(tmp_path)})
    assert tracer.title.startswith("Python's audit events, because strace is not permitted here:")
