"""Shells, modules, locales, users, temporary folders, proxies, clocks: the same results on each.

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

from dvc_bucket import Project, Settings
from dvc_bucket.base import surroundings
from dvc_bucket.connection import clients
from dvc_bucket.jobs.doctor import environment as doctor
from dvc_bucket.jobs.doctor.check import Check, Warn
from dvc_bucket.jobs.doctor.patient import Patient
from tests.bucket.client_tools import CLIENTS
from tests.clones import TOOLS
from tests.end_to_end.clones import REPOSITORY
from tests.machines.machine import Machine, make
from tests.stores.plain_front import PlainFront

#: A user that no file of users has, in a container's way. It may read what the tests run on.
UID = 12345
NAMELESS = (
    *("setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups"),
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
    *("env", "-u", "USER", "-u", "LOGNAME", "-u", "LNAME", "-u", "USERNAME", "-u", "HOME"),
)

#: Nobody listens at the discard port.
DEAD = "http://127.0.0.1:9"
PROXIES = ("ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy")

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


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
        os.chown(name, UID, UID)
        yield Path(name)


@root_only
@needs("setpriv")
def test_a_user_without_a_name_and_a_home(machine: Machine, open_folder: Path) -> None:
    root = open_folder / "nameless"
    shutil.copytree(machine.root, root, symlinks=True, ignore=shutil.ignore_patterns("tmp"))
    for path in (root, *root.rglob("*")):
        os.chown(path, UID, UID, follow_symlinks=False)
    nameless = Machine(root, NAMELESS)
    nameless.bucket("serve")  # of its own: it does not talk to another user's
    try:
        nameless.bucket("push", "--quiet")
        nameless.same_results(prefix=("env", "HOME=/"))
        assert "Complete: 1 object" in nameless.bucket("verify").stdout
        nameless.bucket("check", "--here", "--no-causes")
    finally:
        nameless.bucket("serve", "--stop")


@pytest.fixture(scope="module")
def latin1(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder, name = tmp_path_factory.mktemp("locales"), "en_US.ISO-8859-1"
    command = ["localedef", "-i", "en_US", "-f", "ISO-8859-1", str(folder / name)]
    if not shutil.which("localedef") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("localedef makes no Latin-1 locale here")
    return {"LOCPATH": str(folder), "LC_ALL": name}


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
    said = f"bucket: TMPDIR names {folder}, which is no folder. The system's folder is used.\n"
    assert done.stderr == ("" if folder.is_dir() else said)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.usefixtures("_no_proxies")
def test_this_machine_is_reached_past_every_proxy(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, client: str
) -> None:
    for name in (*PROXIES, "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, DEAD)
    settings = Settings.load(machine.project)
    key = f"past/{client}/x"
    assert CLIENTS[client](settings, key, b"x") == ([key], b"x")
    tunnel = settings.model_copy(update={"endpoint_url": "https://127.0.0.1:8443"})
    assert clients.proxy(tunnel) is None


@pytest.mark.parametrize("name", PROXIES)
@pytest.mark.parametrize("client", ["obstore", "s3fs", "pyarrow", "rclone", "s5cmd"])
@pytest.mark.usefixtures("_no_proxies")
def test_every_client_takes_the_same_proxy(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, client: str, name: str
) -> None:
    own = Settings.load(machine.project)
    settings = own.model_copy(update={"endpoint_url": "http://store.example"})
    with PlainFront(own.port) as proxy:
        monkeypatch.setenv(name, proxy.url)
        key = f"by/{client}/{name}/x"
        assert CLIENTS[client](settings, key, b"x") == ([key], b"x")
        assert {exchange.path.split("/")[2] for exchange in proxy.exchanges} == {"store.example"}


@pytest.fixture
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("_no_proxies")
def test_a_proxy_that_no_client_speaks_to_is_one_sentence(machine: Machine) -> None:
    done = machine.bucket(
        "verify",
        status=1,
        OS_ENDPOINT_URL="http://store.example",
        http_proxy="socks5://127.0.0.1:9",
    )
    assert done.stderr.startswith("bucket: http_proxy names a proxy that S3 clients do not speak")
    assert done.stderr.count("\n") == 1


@needs("faketime")
def test_a_clock_that_is_off_is_named(machine: Machine) -> None:
    done = machine.bucket("verify", status=1, prefix=("faketime", "-f", "+20m"))
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
    ("url", "said"), [("a//b", "an empty part (//)"), ("../b", "one of dots"), ("/b", "(//)")]
)
def test_a_prefix_that_stores_read_differently_is_one_sentence(
    machine: Machine, url: str, said: str
) -> None:
    config = machine.project.dvc_config
    before = config.read_text()
    config.write_text(before.replace("/lab", f"/{url}"))
    try:
        done = machine.bucket("verify", status=1)
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
    finally:
        config.write_text(before)


#: What a person's environment has, and the check of the doctor that warns of it.
WARNED: dict[str, tuple[type[Check], dict[str, str], str]] = {
    "fish": (doctor.ShellOfStages, {"SHELL": "/usr/bin/fish"}, "by /usr/bin/fish"),
    "no shell": (doctor.ShellOfStages, {"SHELL": "/nowhere/bash"}, "cannot be run"),
    "module": (doctor.ImportsOwn, {"PYTHONPATH": "/opt/module"}, "PYTHONPATH names /opt/module"),
    "pip": (doctor.ImportsOwn, {"PIP_TARGET": "/opt"}, "PIP_TARGET of the environment"),
    "venv": (doctor.ImportsOwn, {"VIRTUAL_ENV": "/opt/venv"}, "VIRTUAL_ENV of the environment"),
    "home": (doctor.UserKnown, {"HOME": "/nowhere"}, "HOME names /nowhere"),
    "tmpdir": (doctor.TemporaryFiles, {"TMPDIR": "/nowhere"}, "TMPDIR names /nowhere"),
}


@pytest.mark.parametrize("name", WARNED)
def test_the_doctor_warns_of_it(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    check, environment, said = WARNED[name]
    monkeypatch.setattr(surroundings, "_before", {"HOME": "/tmp"} | environment)
    with pytest.raises(Warn, match=said):
        check.check(Patient(machine.project))


#: Prints what the doctor finds of the locale and of the limits of this process.
FOUND = """\
from dvc_bucket.jobs.doctor.environment import FilesOpen, NamesAreUtf8
for check in (NamesAreUtf8, FilesOpen):
    try:
        print(check.check(None))
    except Exception as warning:
        print(warning.found)
"""


def test_the_doctor_warns_of_a_locale_and_of_limits(
    machine: Machine, latin1: dict[str, Any]
) -> None:
    python = (str(TOOLS / "python"), "-c", FOUND)
    limited = ("sh", "-c", 'ulimit -n 64; exec "$@"', "sh")
    names, files = machine.run(*python, prefix=limited, **latin1).stdout.splitlines()
    assert names == "the locale has ISO-8859-1: plain dvc records names in it"
    assert files == "64 at a time (ulimit -n)"
    assert machine.run(*python, LC_ALL="C").stdout.startswith("UTF-8\n")


@pytest.mark.parametrize("makefile", ["Makefile", "toolkit/Makefile"])
def test_make_unsets_what_leads_elsewhere(tmp_path: Path, makefile: str) -> None:
    asked = tmp_path / "Makefile"
    asked.write_text(f"include {REPOSITORY / makefile}\nasked: ; @env\n")
    names = [*surroundings.REDIRECTING, "VIRTUAL_ENV", "CONDA_PREFIX"]
    names = [name for name in names if makefile == "Makefile" or not name.startswith("PIP_")]
    elsewhere = dict.fromkeys([*names, "PYTHONPATH"], "/nowhere")
    done = subprocess.run(
        ["make", "-s", "asked"],
        cwd=tmp_path,
        env=os.environ | elsewhere,
        capture_output=True,
        text=True,
        check=True,
    )
    told = dict(line.partition("=")[::2] for line in done.stdout.splitlines() if "=" in line)
    assert not told.keys() & elsewhere.keys()
    assert (told["PYTHONUTF8"], told["PYTHONNOUSERSITE"]) == ("1", "1")
