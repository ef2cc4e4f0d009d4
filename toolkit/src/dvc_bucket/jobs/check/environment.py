"""With which packages, and in which environment, the stages of a clone run."""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dvc_bucket.base import kernels, project_settings
from dvc_bucket.base.errors import BucketError, CheckError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import clients
from dvc_bucket.connection.settings import NAMES, Settings
from dvc_bucket.connection.settings.sources import Sources
from dvc_bucket.jobs.check import processes

#: Variables of whoever runs the check that change what Python, DVC, git or make do.
FOREIGN = (
    "PYTHON", "DVC_", "GIT_", "MAKE", "MFLAGS", "VIRTUAL_ENV", "CONDA_", "UV_", "PYTEST_", "XDG_",
    "BUCKET_",
    # Not those that say where packages come from, only those that say where they go.
    "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_DRY_RUN", "PIP_REQUIRE_",
    "PIP_BREAK_",
)  # fmt: skip

#: But for where uv keeps what it has downloaded, which changes nothing but the time it takes.
OWN = ("UV_CACHE_DIR",)

#: Variables that choose a kernel: the pins, and what other libraries take.
KERNELS = (*kernels.AVX2, "GLIBC_TUNABLES")


@dataclass(frozen=True)
class Packages:
    """Where Python and the packages are.

    Attributes:
        python: the program.
        title: what they are, for the report.
        paths: folders with code of the project that this Python imports from, from its root.
        venv: the environment that was made; None where the current one is used.
    """

    python: Path
    title: str
    paths: tuple[Path, ...] = ()
    venv: Path | None = None


def here(project: Project) -> Packages:
    """The packages of the running Python, and the commit's code in the place of the project's."""
    root, prefix = project.root.resolve(), Path(sys.prefix).absolute()
    code = [Path(path).resolve() for path in sys.path if path]
    inside = [
        path.relative_to(root)
        for path in code
        if path.is_relative_to(root) and path != root and not path.is_relative_to(prefix)
    ]
    return Packages(Path(sys.executable), "the current packages (--here)", tuple(inside))


def made(clone: Project, log: Path) -> Packages:
    """Install what the commit's lock file names, into `.venv` of the clone.

    Raises:
        CheckError: it has no lock file, or the installation fails.
        ProjectError: its `pyproject.toml` does not say where the lock file is.
    """
    variables = _without(os.environ, FOREIGN)
    name = project_settings.of(clone).lock_file
    lock, python = clone.root / name, getattr(sys, "_base_executable", sys.executable)
    makes: list[str | Path] = ["make", "-C", clone.root, f"PYTHON={python}", "setup"]
    if not lock.is_file():
        raise CheckError(
            f"The commit has no {name}, so its packages are not known. "
            "`bucket check --here` runs the stages with the current ones."
        )
    venv = clone.root / ".venv"
    steps = [makes] if _knows_setup(clone, variables, log) else _steps(python, venv, lock)
    for step in steps:
        if processes.run(step, cwd=clone.root, env=variables, log=log) != 0:
            raise CheckError(f"The packages cannot be installed:\n{processes.tail(log)}")
    return Packages(venv / "bin" / "python", f"from the commit's {name}", venv=venv)


def variables(
    project: Project,
    clone: Project,
    packages: Packages,
    settings: Settings | None,
    home: Path,
    changes: Mapping[str, str],
) -> dict[str, str]:
    """The environment of the stages: that of the machine, but for what is a person's own.

    Args:
        project: whose `.env` says where the store is.
        clone: that the stages run in.
        packages: that they run with.
        settings: the connection; None where there is none.
        home: an empty folder in the place of the person's.
        changes: what this run has otherwise; an empty value takes the variable away.
    """
    found = _without(os.environ, (*FOREIGN, *KERNELS))
    if settings:
        found = clients.environment(settings, found) | _own_names(project, settings)
    if settings is None or settings.access_key_id:  # else the AWS files are at home
        found["HOME"] = str(home)
    found |= {
        "DVC_SITE_CACHE_DIR": str(clone.dvc_site_cache),
        "DVC_NO_ANALYTICS": "true",
        "PATH": os.pathsep.join([str(packages.python.parent), found.get("PATH", os.defpath)]),
        "PYTHONDONTWRITEBYTECODE": "1",  # so that the sources are what is read
        "PYTHONUNBUFFERED": "1",
    }
    if packages.paths:
        found["PYTHONPATH"] = os.pathsep.join(str(clone.root / path) for path in packages.paths)
    found |= changes
    found |= kernels.pins(found)
    return {name: value for name, value in found.items() if value or name not in changes}


def _own_names(project: Project, settings: Settings) -> dict[str, str]:
    """The settings under the names that stages read them by, as the clone has no `.env`."""
    sources = Sources(project)
    named = {names[0]: sources.find(names[0]).value for names in NAMES.values()}
    if settings.ca_bundle:
        named["OS_CACERT"] = settings.ca_bundle
    return {name: value for name, value in named.items() if value}


def _without(environment: Mapping[str, str], foreign: tuple[str, ...]) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if name in OWN or not name.startswith(foreign)
    }


def _knows_setup(clone: Project, env: Mapping[str, str], log: Path) -> bool:
    """Whether the clone's own Makefile sets up an environment."""
    if not ((clone.root / "Makefile").is_file() and shutil.which("make")):
        return False
    question: list[str | Path] = ["make", "-C", clone.root, "--dry-run", "setup"]
    return processes.run(question, cwd=clone.root, env=env, log=log) == 0


def _steps(python: str, venv: Path, lock: Path) -> list[list[str | Path]]:
    """Commands that make an environment: uv's where it is there, which is much quicker."""
    inside = venv / "bin" / "python"
    if uv := shutil.which("uv"):
        install: list[str | Path] = [
            uv,
            "pip",
            "sync",
            "--quiet",
            "--require-hashes",
            "--python",
            inside,
            lock,
        ]
        return [[uv, "venv", "--quiet", "--python", python, venv], install]
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    # What a pip.conf can say of where packages go, as the command line says it.
    options += ["--no-user", "--target=", f"--prefix={venv}", "--root=/"]
    return [
        [python, "-m", "venv", venv],
        [inside, "-m", "pip", "install", *options, "--requirement", lock],
    ]


def connection(project: Project) -> Settings | BucketError:
    """The settings, or why there are none: a project whose inputs are in git needs none."""
    try:
        return Settings.load(project)
    except BucketError as error:  # no settings, or no remote
        return error
