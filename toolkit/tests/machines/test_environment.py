"""Shells, modules, locales, users, temporary folders, clocks: the same results on each.

Every set-up is made for real, and a program that a machine lacks leaves out its tests alone
(`tests/machines/packages` installs them).
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dvc_bucket import Project
from tests.machines.machine import OTHER, Machine, make, root_only

#: A user that no file of users has, in a container's way. It may read what the tests run on.
NAMELESS = (
    *("setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups"),
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
    *("env", "-u", "USER", "-u", "LOGNAME", "-u", "LNAME", "-u", "USERNAME", "-u", "HOME"),
)


def needs(*programs: str) -> pytest.MarkDecorator:
    absent = [name for name in programs if not shutil.which(name)]
    return pytest.mark.skipif(bool(absent), reason=f"{', '.join(absent)}: not installed")


@pytest.fixture(scope="module")
def machine(store: Project, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return make(tmp_path_factory.mktemp("machines") / "lab", store)


@pytest.fixture
def with_start_file(tmp_path: Path) -> str:
    """A shell that reads a start file first, which leads to another Python."""
    python, shell = tmp_path / "python", tmp_path / "shell"
    python.write_text("#!/bin/sh\nexit 3\n")
    shell.write_text(f'#!/bin/sh\nPATH={tmp_path}:$PATH exec /bin/sh "$@"\n')
    for program in (python, shell):
        program.chmod(0o755)
    return str(shell)


@pytest.mark.parametrize(
    "shell",
    [
        "/usr/sbin/nologin",
        "with_start_file",
        pytest.param("fish", marks=needs("fish")),
        pytest.param("tcsh", marks=needs("tcsh")),
    ],
)
def test_stages_run_by_sh_whatever_the_login_shell(
    machine: Machine, request: pytest.FixtureRequest, shell: str
) -> None:
    is_own = shell == "with_start_file"
    name = request.getfixturevalue(shell) if is_own else shutil.which(shell) or shell
    machine.same_results(SHELL=name)


def test_modules_of_other_folders_come_last(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "tabulate.py").write_text("__version__ = '0.1'\n")
    (tmp_path / "typing_extensions.py").write_text("")  # DVC does not start with it
    machine.same_results(PYTHONPATH=str(tmp_path), VIRTUAL_ENV=str(tmp_path), PIP_USER="1")


def test_modules_of_the_project_come_first(machine: Machine, tmp_path: Path) -> None:
    code = "import os; print(os.environ.get('PYTHONPATH'), os.environ['PYTHONNOUSERSITE'])"
    paths = f"{machine.root}/src:{tmp_path}:lib"
    done = machine.bucket("run", "python", "-c", code, PYTHONPATH=paths)
    assert done.stdout.split() == [f"{machine.root}/src:lib", "1"]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach; those of pytest are for one."""
    with tempfile.TemporaryDirectory(prefix="machines-") as name:
        os.chown(name, OTHER, OTHER)
        yield Path(name)


@root_only
@needs("setpriv")
def test_a_user_without_a_name_and_a_home(machine: Machine, open_folder: Path) -> None:
    root = open_folder / "nameless"
    shutil.copytree(machine.root, root, symlinks=True, ignore=shutil.ignore_patterns("tmp"))
    for path in (root, *root.rglob("*")):
        os.chown(path, OTHER, OTHER, follow_symlinks=False)
    nameless = Machine(root, NAMELESS)
    nameless.bucket("serve")  # of its own: it does not talk to another user's
    try:
        nameless.bucket("push", "--quiet")
        nameless.same_results(prefix=("env", "HOME=/"))
        assert "Complete: 1 object" in nameless.bucket("verify").stdout
        nameless.bucket("check", "--here", "--no-causes")
    finally:
        nameless.bucket("serve", "--stop")


def test_names_are_utf8_in_a_latin1_locale(machine: Machine, latin1: dict[str, Any]) -> None:
    machine.same_results(**latin1)
    (machine.root / "d").mkdir()
    (machine.root / "d" / "Müller.csv").write_text("1\n")
    try:
        machine.bucket("add", "--quiet", "d", **latin1)
        [listed] = (machine.root / ".dvc/cache").rglob("*.dir")
        assert [entry["relpath"] for entry in json.loads(listed.read_text())] == ["Müller.csv"]
    finally:
        machine.run("git", "clean", "-fdq", "d", "d.dvc")
        machine.run("git", "checkout", "-q", ".gitignore")
        shutil.rmtree(machine.root / "d", ignore_errors=True)


def test_a_name_that_is_not_utf8_is_one_sentence(machine: Machine) -> None:
    folder = machine.root / "old names"
    folder.mkdir()
    (folder / os.fsdecode(b"M\xfcller.csv")).write_text("1\n")
    try:
        done = machine.bucket("add", "old names", status=1)
        assert done.stderr.startswith(r"bucket: old names/M\xfcller.csv: the name is not UTF-8")
        assert done.stderr.count("\n") == 1
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def noexec(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "noexec"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "noexec,size=100m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("this machine does not allow a mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@root_only
def test_a_commit_is_checked_where_programs_run(machine: Machine, noexec: Path) -> None:
    done = machine.bucket("check", "--here", "--no-causes", TMPDIR=str(noexec))
    assert done.stderr == (
        f"bucket: {noexec} does not let programs run (noexec). /tmp is used instead.\n"
    )
    assert list(noexec.iterdir()) == []


def test_a_commit_is_checked_with_sockets_in_a_short_folder(
    machine: Machine, tmp_path: Path
) -> None:
    folder = tmp_path / ("x" * 90)
    folder.mkdir()
    machine.bucket("check", "--here", "--no-causes", TMPDIR=str(folder))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["nowhere", "a folder"])
def test_temporary_files_have_a_folder(machine: Machine, tmp_path: Path, name: str) -> None:
    (tmp_path / "a folder").mkdir()
    folder = tmp_path / name
    code = "import os; print(os.environ.get('TMPDIR'))"
    done = machine.bucket("run", "python", "-c", code, TMPDIR=str(folder))
    assert done.stdout.strip() == (str(folder) if folder.is_dir() else "None")
    said = f"bucket: TMPDIR names {folder}, which is not a folder. The system's folder is used.\n"
    assert done.stderr == ("" if folder.is_dir() else said)


@needs("faketime")
def test_a_clock_that_is_off_is_named(machine: Machine) -> None:
    done = machine.bucket("verify", status=3, prefix=("faketime", "-f", "+20m"))
    assert "The clock of this machine is wrong" in done.stderr


def test_few_open_files_are_enough_for_a_stage(machine: Machine) -> None:
    machine.same_results(prefix=("sh", "-c", 'ulimit -n 64; exec "$@"', "sh"))


def test_more_open_files_are_asked_for(machine: Machine) -> None:
    code = "import resource; print(*resource.getrlimit(resource.RLIMIT_NOFILE))"
    words = ("sh", "-c", 'ulimit -Sn 100; ulimit -Hn 1000; exec "$@"', "sh")
    done = machine.bucket("run", "python", "-c", code, prefix=words)
    assert done.stdout.split() == ["1000", "1000"]


def test_locks_for_network_disks_work_after_the_usual_ones(machine: Machine) -> None:
    """DVC leaves the file of its usual lock, and to the other kind the file is the lock."""
    machine.run("dvc", "status", "--quiet")
    locks = [machine.root / ".dvc/tmp" / name for name in ("lock", "rwlock.lock")]
    assert all(lock.is_file() for lock in locks)
    machine.run("dvc", "config", "--local", "core.hardlink_lock", "true")
    try:
        machine.bucket("status", "--quiet")
        assert not any(lock.exists() for lock in locks)
    finally:
        machine.run("dvc", "config", "--local", "--unset", "core.hardlink_lock")


@pytest.mark.parametrize(
    ("url", "said"), [("a//b", "an empty part (//)"), ("../b", "a part of dots"), ("/b", "(//)")]
)
def test_a_prefix_that_stores_read_differently_is_one_sentence(
    machine: Machine, url: str, said: str
) -> None:
    config = machine.project.dvc_config
    before = config.read_text()
    config.write_text(before.replace("/lab", f"/{url}"))
    try:
        for words in (["verify"], ["push"], ["gc", "--cloud", "-w", "-f"]):
            done = machine.bucket(*words, status=1)
            assert said in done.stderr
            assert done.stderr.count("\n") == 1
    finally:
        config.write_text(before)


def test_a_prefix_may_have_a_space(machine: Machine) -> None:
    config = machine.project.dvc_config
    before = config.read_text()
    config.write_text(before.replace("/lab", "/lab é + space"))
    try:
        machine.bucket("push", "--quiet")
        assert "Complete: 1 object" in machine.bucket("verify").stdout
        found = json.loads(machine.run("bucket", "doctor", "--json").stdout)["checks"]
        assert [check for check in found if check["status"] == "failed"] == []
        (machine.root / "facts.json").unlink()
        shutil.rmtree(machine.root / ".dvc" / "cache")
        machine.bucket("pull", "--quiet")
        assert (machine.root / "facts.json").is_file()
    finally:
        config.write_text(before)
