"""A store whose configuration is not followed is never called ready, as it would be open."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

import dvc_bucket
from dvc_bucket import Project
from dvc_bucket.base.errors import ServerError
from dvc_bucket.store import seaweed
from dvc_bucket.store.security import INNER, SECTIONS, Guard, configure

#: Sections without which the store opens a port that is not closed to others. Without one of the
#: other three of its servers it opens none, and is refused when the time for a start is over.
OPENING = ["grpc", "grpc.master", "grpc.s3", *(f"https.{name}" for name in INNER)]

#: A `weed` that reads another configuration than that which `serve` wrote.
OTHER = """#!/bin/sh
mkdir -p other && sed -e '{edit}' security.toml > other/security.toml
exec '{weed}' -config_dir=other "$@"
"""

#: A `weed` that finds the configuration changed.
CHANGED = """#!/bin/sh
sed -i -e '{edit}' security.toml
exec '{weed}' "$@"
"""


def renamed(section: str) -> str:
    """The edit with which a section is dropped, as another is there that nobody knows."""
    return rf"s/^\[{section}\]$/[dropped.{section}]/"


def misspelt(section: str) -> str:
    """The edit with which the files of a section are dropped."""
    return rf"/^\[{section}\]$/,/^\[/ s/^\(ca\|cert\|key\) /\1x /"


def serve(project: Project, tmp_path: Path, weed: str, edit: str) -> str:
    """What `bucket serve` says in an environment whose `weed` is that one; it has to fail."""
    real = Path(sys.prefix)
    tools = tmp_path / "tools"
    (tools / "bin").mkdir(parents=True)
    (tools / "lib").symlink_to(real / "lib")
    shutil.copy(real / "pyvenv.cfg", tools)
    python, program = tools / "bin" / "python", tools / "bin" / "weed"
    python.symlink_to(sys.executable)
    program.write_text(weed.format(edit=edit, weed=seaweed.binary()))
    program.chmod(0o755)
    done = subprocess.run(
        [python, "-c", "from dvc_bucket.cli import main; main()", "serve"],
        cwd=project.root,
        env=os.environ | {"PYTHONPATH": str(Path(dvc_bucket.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done
    assert "ready" not in done.stdout
    assert "Traceback" not in done.stderr
    assert seaweed.find(project) is None
    assert not project.store_state.exists()
    return done.stderr


def words(section: str) -> str:
    """How `serve` calls the port that a section is for."""
    kind, _, name = section.partition(".")
    return f"({name}.grpc)" if kind == "grpc" else f"({name})"


@pytest.mark.parametrize("section", OPENING)
def test_a_section_that_the_store_skips_makes_serve_fail(
    project: Project, tmp_path: Path, section: str
) -> None:
    told = serve(project, tmp_path, OTHER, renamed(section))
    assert "is not safe from other users: its port" in told
    assert section == "grpc" or words(section) in told


@pytest.mark.parametrize("section", ["grpc", "grpc.s3", "https.master"])
def test_a_misspelt_word_in_a_section_makes_serve_fail(
    project: Project, tmp_path: Path, section: str
) -> None:
    assert "its port" in serve(project, tmp_path, OTHER, misspelt(section))


def test_a_server_that_asks_for_no_certificate_makes_serve_fail(
    project: Project, tmp_path: Path
) -> None:
    told = serve(project, tmp_path, OTHER, r"/^\[https.master\]$/,/^\[/ s/^ca /cax /")
    assert "(master) serves a client without a certificate" in told


def test_a_configuration_that_the_store_cannot_read_makes_serve_fail(
    project: Project, tmp_path: Path
) -> None:
    assert "its port" in serve(project, tmp_path, OTHER, "s/=/==/")


@pytest.mark.parametrize(
    "edit",
    [*map(renamed, SECTIONS), *map(misspelt, ["grpc", "grpc.worker", "https.client"])],
)
def test_a_section_that_is_missing_in_the_file_makes_serve_fail(
    project: Project, tmp_path: Path, edit: str
) -> None:
    told = serve(project, tmp_path, CHANGED, edit)
    assert re.search(r"The section \[[a-z0-9.]+\] of \S+security\.toml is missing", told)


@pytest.mark.parametrize("edit", ["s/=/==/", "1,$d", "20,$d"])
def test_a_broken_or_cut_file_makes_serve_fail(project: Project, tmp_path: Path, edit: str) -> None:
    assert "security.toml" in serve(project, tmp_path, CHANGED, edit)


@pytest.mark.parametrize("seconds", [0.1, 60])
def test_a_port_may_be_open_to_others_only_while_it_is_tried(
    tmp_path: Path, seconds: float
) -> None:
    """`weed` opens each of its ports on all addresses for a moment, to see whether it is free."""
    configure(tmp_path)
    opens = (
        "import socket, time; tried = socket.create_server(('0.0.0.0', 0)); "
        f"print(flush=True); time.sleep({seconds}); tried.close(); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", opens], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            process.stdout.readline()
            guard = Guard(psutil.Process(process.pid), tmp_path)
            if seconds < 1:
                assert guard.is_complete()  # it has no port to open
            else:
                with pytest.raises(ServerError, match=r"listens on 0\.0\.0\.0"):
                    guard.is_complete()
        finally:
            process.kill()
