"""The whole day of a project on each machine of tests/machines: reproduce, test, verify, check.

The results are those of the commit, byte for byte.
"""

import shutil
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from dvc_bucket import Project
from tests.clones import TOOLS, Clone
from tests.end_to_end.conftest import make_clone  # noqa: F401 (a fixture)
from tests.machines.conftest import latin1  # noqa: F401 (a fixture)
from tests.machines.machine import DEAD, PROXIES, Machine, make
from tests.machines.test_environment import noexec  # noqa: F401 (a fixture)

#: A machine: words before each command, and what its environment has.
SetUp = tuple[Sequence[str], dict[str, str]]

#: Nobody's names of machines: the host names only IPv6 has.
IPV6_ONLY = "::1 localhost\n"


@pytest.fixture(scope="module")
def clone(make_clone: Callable[..., Clone], tmp_path_factory: pytest.TempPathFactory) -> Clone:  # noqa: F811
    made = replace(make_clone(tmp_path_factory.mktemp("machines") / "clone"), timeout=900)
    made.make("reproduce")
    assert made.run("git", "status", "--porcelain").stdout == ""
    return made


def _fish(_: pytest.FixtureRequest, __: Path) -> SetUp:
    return (), {"SHELL": shutil.which("fish") or pytest.skip("fish is not installed")}


def _module(_: pytest.FixtureRequest, folder: Path) -> SetUp:
    (folder / "sklearn.py").write_text("__version__ = '0.1'\n")
    (folder / "typing_extensions.py").write_text("")
    return (), {"PYTHONPATH": str(folder), "VIRTUAL_ENV": str(folder), "PIP_USER": "1"}


def _latin1(request: pytest.FixtureRequest, _: Path) -> SetUp:
    return (), request.getfixturevalue("latin1")


def _noexec(request: pytest.FixtureRequest, _: Path) -> SetUp:
    return (), {"TMPDIR": str(request.getfixturevalue("noexec"))}


def _long(_: pytest.FixtureRequest, folder: Path) -> SetUp:
    (folder / ("x" * 90)).mkdir()
    return (), {"TMPDIR": str(folder / ("x" * 90))}


def _proxies(_: pytest.FixtureRequest, __: Path) -> SetUp:
    return (), dict.fromkeys((*PROXIES, "HTTPS_PROXY", "https_proxy"), DEAD)


def _few_files(_: pytest.FixtureRequest, __: Path) -> SetUp:
    return ("sh", "-c", 'ulimit -Sn 128; exec "$@"', "sh"), {}


def _ipv6_only(_: pytest.FixtureRequest, folder: Path) -> SetUp:
    hosts = folder / "hosts"
    hosts.write_text(IPV6_ONLY)
    mount = f'mount --bind "{hosts}" /etc/hosts && exec "$@"'
    words = ("unshare", "-m", "sh", "-c", mount, "sh")
    if subprocess.run([*words, "true"], capture_output=True).returncode:
        pytest.skip("this machine does not allow a mount")
    return words, {}


SET_UPS = {
    function.__name__.strip("_"): function
    for function in (_fish, _module, _latin1, _noexec, _long, _proxies, _few_files, _ipv6_only)
}


@pytest.fixture(params=SET_UPS)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> SetUp:
    return SET_UPS[request.param](request, tmp_path)


def test_the_whole_day(clone: Clone, machine: SetUp) -> None:
    prefix, changes = machine
    # As after a set-up of one's own; without variables of the clone that a person does not have.
    own = {name: value for name, value in clone.environment.items() if name != "PYTHONPATH"}
    there = replace(clone, environment=own | changes)
    make = (*prefix, "make", "-o", ".venv/.installed")
    there.run(*make, "reproduce", "ARGS=--force")
    assert clone.run("git", "status", "--porcelain").stdout == ""
    there.run(*prefix, "env", "-u", "PYTHONPATH", str(TOOLS / "pytest"), "-q", "tests")
    assert "Complete" in there.run(*make, "verify").stdout
    done = there.run(*make, "check", "ARGS=--here --no-causes")
    assert "Reproduced" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    if "TMPDIR" in changes:
        left = [path.name for path in Path(changes["TMPDIR"]).iterdir()]
        assert [name for name in left if not name.startswith("pytest-of-")] == []  # pytest's own


def test_two_clones_and_two_commands_in_each_at_once(store: Project, tmp_path: Path) -> None:
    """With the locks for network file systems; each command waits for the other."""
    first = make(tmp_path / "first", store)
    first.run("git", "clone", "--quiet", str(first.root), str(tmp_path / "second"))
    second = Machine(tmp_path / "second")
    shutil.copy(first.root / ".env", second.root / ".env")
    for machine in (first, second):
        machine.run("dvc", "config", "--local", "core.hardlink_lock", "true")
    with ThreadPoolExecutor() as pool:
        runs = [
            pool.submit(machine.bucket, "reproduce", "--force")
            for machine in (first, second)
            for _ in range(2)
        ]
        for run in runs:
            run.result()
    for machine in (first, second):
        assert machine.run("git", "status", "--porcelain").stdout == ""
        assert "Complete" in machine.bucket("verify").stdout
