"""`make setup` installs into .venv and into nothing else, and a set-up that failed is not finished.

One small package stands for requirements.lock. uv and pip are real and get it from a folder.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from dvc_bucket import Project
from dvc_bucket.jobs.check import environment, plan
from tests.clones import TOOLS
from tests.end_to_end.clones import REPOSITORY

#: Names that point uv or pip somewhere else, with values as images for containers set them.
REDIRECTING = {
    "UV_SYSTEM_PYTHON": "1",
    "UV_BREAK_SYSTEM_PACKAGES": "1",
    "UV_PROJECT": "{other}",
    "UV_PROJECT_ENVIRONMENT": "{other}",
    "UV_WORKING_DIR": "{other}",
    "UV_NO_VERIFY_HASHES": "1",
    "UV_PYTHON": "{other}/bin/python",
    "PIP_USER": "1",
    "PIP_TARGET": "{other}/target",
    "PIP_PREFIX": "{other}",
    "PIP_ROOT": "{other}/root",
    "PIP_PYTHON": "{other}/bin/python",
    "PIP_DRY_RUN": "1",
    "PIP_REQUIRE_VIRTUALENV": "1",
}

#: Bytecode of the package.
COMPILED = ".venv/lib/python*/site-packages/__pycache__/tiny_package*.pyc"


@dataclass(frozen=True)
class Place:
    """A project with a lock file of one package, and another Python with a package of its own."""

    root: Path
    other: Path
    env: dict[str, str]

    def make(self, *, uv: bool, **changes: str) -> "subprocess.CompletedProcess[str]":
        """Make the part of `make setup` that installs requirements.lock."""
        words = ["make", ".venv/.packages", f"PYTHON={sys.executable}"]
        words += [] if uv else ["UV="]
        return subprocess.run(
            words,
            cwd=self.root,
            env=self.env | changes,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    @property
    def is_set_up(self) -> bool:
        return bool([*self.root.glob(".venv/lib/python*/site-packages/tiny_package.py")])

    @property
    def seen_elsewhere(self) -> list[Path]:
        """What changed in the other Python."""
        there = {path.name for path in self.other.rglob("*") if "recious" in path.name}
        assert there == {"precious.py", "precious-1.0.dist-info"}
        return [*self.other.rglob("tiny_package*")]


def write_package(folder: Path, name: str) -> list[Path]:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / f"{name}.py").write_text("")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "WHEEL").write_text(
        "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    (info / "INSTALLER").write_text("pip\n")
    names = [f"{name}.py", *(f"{info.name}/{part}" for part in ("METADATA", "WHEEL", "RECORD"))]
    (info / "RECORD").write_text("".join(f"{path},,\n" for path in names))
    return [folder / path for path in names]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    root, wheels, other = tmp_path / "a clone", tmp_path / "wheels", tmp_path / "other"
    for folder in (root, wheels, tmp_path / "home"):
        folder.mkdir()
    shutil.copy(REPOSITORY / "Makefile", root)
    wheel = wheels / "tiny_package-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path in write_package(tmp_path / "source", "tiny_package"):
            archive.write(path, path.relative_to(tmp_path / "source"))
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (root / "requirements.lock").write_text(f"tiny-package==1.0 \\\n    --hash=sha256:{digest}\n")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", other], check=True)
    [packages] = other.glob("lib/python*/site-packages")
    write_package(packages, "precious")
    foreign = ("UV_", "PIP_", "MAKE", "MFLAGS", "VIRTUAL_ENV", "CONDA_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    env |= {
        "HOME": str(tmp_path / "home"),
        "PATH": os.pathsep.join([str(TOOLS), env["PATH"]]),
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        **dict.fromkeys(("UV_OFFLINE", "UV_NO_INDEX", "PIP_NO_INDEX"), "1"),
        **{name: str(wheels) for name in ("UV_FIND_LINKS", "PIP_FIND_LINKS")},
    }
    return Place(root, other, env)


def recording_uv(place: Place, folder: Path) -> Path:
    """A uv that notes its environment and words; of `pip` it only says what it would do."""
    folder.mkdir()
    script = folder / "uv"
    script.write_text(
        f'#!/bin/sh\nenv >>"{folder}/env"\necho "$@" >>"{folder}/words"\n'
        f'case $1 in pip) exec "{TOOLS}/uv" "$@" --dry-run ;; *) exec "{TOOLS}/uv" "$@" ;; esac\n'
    )
    script.chmod(0o755)
    place.env["PATH"] = os.pathsep.join([str(folder), place.env["PATH"]])
    return folder


def test_uv_is_told_the_python_of_venv_and_no_variable_that_redirects_it(
    place: Place, tmp_path: Path
) -> None:
    folder = recording_uv(place, tmp_path / "bin")
    poison = {name: value.format(other=place.other) for name, value in REDIRECTING.items()}
    place.make(uv=True, **poison)
    names = {line.partition("=")[0] for line in (folder / "env").read_text().splitlines()}
    assert not names & REDIRECTING.keys()
    venv, sync = (folder / "words").read_text().splitlines()
    assert venv.startswith("venv ")
    assert venv.endswith(" .venv")
    assert sync.startswith("pip sync --python .venv/bin/python ")
    assert not place.seen_elsewhere


@pytest.mark.parametrize("uv", [True, False], ids=["uv", "pip"])
def test_another_python_named_in_the_environment_keeps_its_packages(place: Place, uv: bool) -> None:
    only = {name for name in REDIRECTING if name != "UV_SYSTEM_PYTHON"}  # the machine's own Python
    poison = {name: REDIRECTING[name].format(other=place.other) for name in only}
    done = place.make(uv=uv, **poison)
    assert done.returncode == 0, done.stderr
    assert place.is_set_up
    assert not place.seen_elsewhere


def test_a_pip_configuration_cannot_redirect_it(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    options = "".join(f"{name} = {place.other}\n" for name in ("target", "prefix", "root"))
    file.write_text(f"[install]\nuser = yes\n{options}")
    done = place.make(uv=False, PIP_CONFIG_FILE=str(file))
    assert done.returncode == 0, done.stderr
    assert place.is_set_up
    assert not place.seen_elsewhere


def test_a_uv_configuration_that_redirects_it_is_no_finished_set_up(
    place: Place, tmp_path: Path
) -> None:
    file = tmp_path / "home" / "uv.toml"
    file.write_text(f'[pip]\ntarget = "{tmp_path / "elsewhere"}"\n')
    for _ in range(2):
        done = place.make(uv=True, UV_CONFIG_FILE=str(file))
        assert done.returncode == 2
        assert "uv installed nothing in .venv" in done.stderr
    assert place.make(uv=True).returncode == 0
    assert place.is_set_up


@pytest.mark.parametrize("uv", [True, False], ids=["uv", "pip"])
def test_a_set_up_that_failed_is_not_taken_for_done(place: Place, uv: bool) -> None:
    lock = place.root / "requirements.lock"
    good = lock.read_text()
    lock.write_text(good.replace("sha256:", "sha256:" + "0" * 8)[:-9] + "\n")
    for _ in range(2):
        assert place.make(uv=uv).returncode == 2
        assert not (place.root / ".venv/.packages").exists()
    lock.write_text(good)
    assert place.make(uv=uv).returncode == 0
    assert place.is_set_up


def test_a_set_up_stopped_while_it_cleared_the_last_one_is_not_taken_for_done(
    place: Place, tmp_path: Path
) -> None:
    assert place.make(uv=True).returncode == 0
    lock = place.root / "requirements.lock"
    good = lock.read_text()
    lock.write_text(f"{good}# another commit\n")
    broken = tmp_path / "broken" / "uv"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nrm -rf .venv/lib\nkill -9 $$\n")  # as far as --clear came
    broken.chmod(0o755)
    path = os.pathsep.join([str(broken.parent), place.env["PATH"]])
    assert place.make(uv=True, PATH=path).returncode == 2
    lock.write_text(good)
    assert place.make(uv=True).returncode == 0
    assert place.is_set_up


@pytest.mark.parametrize("uv", [True, False], ids=["uv", "pip"])
def test_the_packages_of_a_check_go_to_its_clone_alone_and_what_stages_import_is_compiled(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uv: bool
) -> None:
    (place.root / "Makefile").unlink()
    config = tmp_path / "pip.conf"
    config.write_text(f"[install]\nprefix = {place.other}\n")
    for name in [name for name in os.environ if name.startswith(("UV_", "PIP_"))]:
        monkeypatch.delenv(name)
    for name, value in REDIRECTING.items():
        monkeypatch.setenv(name, value.format(other=place.other))
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS", "UV_CACHE_DIR"):
        monkeypatch.setenv(name, place.env[name])
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.setenv("PATH", place.env["PATH"] if uv else os.defpath)
    if uv:  # a check takes no other variable of uv, and its lock file has no address
        lock = place.root / "requirements.lock"
        lock.write_text(f"--no-index --find-links {place.env['UV_FIND_LINKS']}\n{lock.read_text()}")
    (place.root / "stage.py").write_text("import tiny_package\n")
    (place.root / "dvc.yaml").write_text("stages:\n  one:\n    cmd: python stage.py\n")
    (place.root / ".dvc").mkdir()
    (place.root / ".dvc/config").touch()
    subprocess.run(["git", "init", "--quiet"], cwd=place.root, check=True)
    stages = plan.read(Project(place.root)).select([]) if uv else []
    environment.made(Project(place.root), stages, tmp_path / "log")
    assert place.is_set_up
    assert not place.seen_elsewhere
    assert bool([*place.root.glob(COMPILED)]) is uv


@pytest.mark.parametrize("uv", [True, False], ids=["uv", "pip"])
def test_modules_are_compiled_when_they_are_imported_unless_all_are_asked_for(
    place: Place, uv: bool
) -> None:
    place.make(uv=uv)
    assert place.is_set_up
    assert not [*place.root.glob(COMPILED)]
    shutil.rmtree(place.root / ".venv")
    place.make(uv=uv, UV_COMPILE_BYTECODE="1")
    assert [*place.root.glob(COMPILED)]
