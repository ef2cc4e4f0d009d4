"""A command in a fork says and does what it does as a program of its own."""

import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dvc_bucket import Project
from dvc_bucket.base.kernels import AVX2
from tests import forking
from tests.bucket.git_tools import environment
from tests.clones import TOOLS

#: Where a stage finds `python`.
PATH = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"

KEPT: dict[str, Any] = {"capture_output": True, "text": True, "check": False}


def both(project: Project, command: Sequence[str], **options: Any) -> tuple[Any, Any]:
    """What a command says in a fork, and as a program."""
    options = {"cwd": project.root, "env": environment(), **KEPT, **options}
    return forking.run(command, **options), subprocess.run(command, **options)


@pytest.mark.parametrize("words", ["dvc root", "dvc nonsense", "bucket ls", "bucket verify --all"])
def test_status_and_both_streams_are_the_same(project: Project, words: str) -> None:
    program, *arguments = words.split()
    forked, started = both(project, [str(TOOLS / program), *arguments])
    assert (forked.returncode, forked.stdout) == (started.returncode, started.stdout)
    assert forked.stderr == started.stderr
    assert program in forking.running()


def test_commands_run_at_a_time_and_one_that_takes_too_long_is_ended(project: Project) -> None:
    asked = {"cwd": project.root, "env": environment(), **KEPT}

    def fails() -> int:
        return int(forking.run([TOOLS / "dvc", "nonsense"], **asked).returncode)

    with ThreadPoolExecutor(3) as pool:
        told = [pool.submit(fails) for _ in range(3)]
        with pytest.raises(subprocess.TimeoutExpired):
            forking.run([TOOLS / "bucket", "ls"], **asked, timeout=0.001)
    assert [one.result() for one in told] == [254, 254, 254]


@pytest.mark.parametrize("name", ["PYTHONPATH", "PYTHONHASHSEED", "LC_ALL", "TZ", "SSL_CERT_FILE"])
def test_what_python_or_a_module_reads_as_it_starts_has_a_process_of_its_own(name: str) -> None:
    options = {**KEPT, "stdin": subprocess.DEVNULL}
    assert forking.can_fork(TOOLS / "dvc", environment() | {"HOME": "/"}, options)
    assert not forking.can_fork(TOOLS / "dvc", environment() | {name: "1"}, options)
    assert not forking.can_fork(TOOLS / "git", environment(), options)
    assert not forking.can_fork(TOOLS / "dvc", environment(), {**options, "umask": 0o77})


def test_what_a_library_sets_when_a_test_imports_it_changes_nothing() -> None:
    import polars  # noqa: F401
    import rasterio  # noqa: F401
    import sklearn  # noqa: F401

    options = {**KEPT, "stdin": subprocess.DEVNULL}
    assert forking.can_fork(TOOLS / "dvc", environment(), options)


def test_what_a_connection_sets_and_code_of_a_project_leave_it_a_fork(tmp_path: Path) -> None:
    options = {**KEPT, "stdin": subprocess.DEVNULL}
    told = {"no_proxy": "127.0.0.1", "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1", **AVX2}
    (tmp_path / "of_a_project").mkdir()
    variables = environment() | told | {"PYTHONPATH": str(tmp_path)}
    assert forking.changed(variables) == set()
    assert forking.can_fork(TOOLS / "bucket", variables, options)
    (tmp_path / "dvc").mkdir()
    assert forking.changed(variables) == {"PYTHONPATH"}


def test_the_lines_of_a_stage_stand_where_they_are_printed(project: Project) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=project.root, check=True)
    code = "import of_a_project"
    flow = f"stages:\n  a: {{cmd: echo a; python -c '{code}'}}\n  b: {{cmd: echo b}}\n"
    (project.root / "dvc.yaml").write_text(flow)
    folder = project.root / "code"
    folder.mkdir()
    (folder / "of_a_project.py").write_text("print('imported')\n")
    told = {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(folder), "PATH": PATH}
    words = [str(TOOLS / "dvc"), "repro", "a", "b"]
    forked, started = both(project, words, env=environment() | told)
    assert "> echo a; python -c" in forked.stdout.splitlines()[1]
    assert forked.stdout.splitlines()[2:4] == ["a", "imported"]
    assert forked.stdout.splitlines()[:4] == started.stdout.splitlines()[:4]
