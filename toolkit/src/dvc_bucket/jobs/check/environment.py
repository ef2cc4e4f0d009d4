"""The packages and the environment with which the stages of a clone run."""

import os
import platform
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dvc_bucket.base import kernels, project_settings
from dvc_bucket.base.errors import BucketError, CheckError, NotCheckedError
from dvc_bucket.base.packages import ANY
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import clients
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc import connected
from dvc_bucket.dvc.snapshot import Stage
from dvc_bucket.jobs.check import in_clone, preload, processes
from dvc_bucket.jobs.check.compiled import compile_imports

#: Variables of whoever runs the check that change what Python, DVC, git or make do.
FOREIGN = (
    "PYTHON", "DVC_", "GIT_", "MAKE", "MFLAGS", "VIRTUAL_ENV", "CONDA_", "UV_", "PYTEST_", "XDG_",
    "BUCKET_",
    # Not those that say where packages come from, only those that say where they go.
    "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_DRY_RUN", "PIP_REQUIRE_",
    "PIP_BREAK_",
)  # fmt: skip

#: Except the folder of uv's downloads, which changes only the time it takes.
OWN = ("UV_CACHE_DIR",)

#: Variables that choose a kernel: the pins, and what other libraries take.
KERNELS = (*kernels.AVX2, "GLIBC_TUNABLES")


#: The folder of renv's packages in a project, which git ignores.
RENV_LIBRARY = "renv/library"

#: The folder of an environment in a clone.
VENV = ".venv"

#: With it, Python writes no bytecode, so that the sources of the project are what is read.
NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"


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

    @property
    def folders(self) -> tuple[str, ...] | None:
        """The folders with the packages; None for those of the running Python."""
        paths = self.venv.glob("lib/python3*/site-packages") if self.venv else ()
        return tuple(map(str, paths)) if self.venv else None


def here(project: Project) -> Packages:
    """The packages of the running Python, with the commit's code in place of the project's."""
    root, prefix = project.root.resolve(), Path(sys.prefix).absolute()
    code = [Path(path).resolve() for path in sys.path if path]
    inside = [
        path.relative_to(root)
        for path in code
        if path.is_relative_to(root) and path != root and not path.is_relative_to(prefix)
    ]
    title = f"the current packages (--here), Python {platform.python_version()}"
    return Packages(Path(sys.executable), title, tuple(inside))


def made(clone: Project, stages: Sequence[Stage], log: Path) -> Packages:
    """Install the packages of the commit's lock file into `.venv` of the clone.

    Args:
        clone: of the commit.
        stages: that are to run, whose imports are compiled.
        log: of what is printed.

    Raises:
        CheckError: it has no lock file.
        NotCheckedError: the installation fails.
        ProjectError: its `pyproject.toml` does not say where the lock file is.
    """
    name = project_settings.of(clone).lock_file
    if not (clone.root / name).is_file():
        raise CheckError(
            f"The commit has no {name}, so its packages are unknown. `bucket check --here` runs "
            "the stages with the current ones."
        )
    env, venv = _without(FOREIGN), clone.root / VENV
    python = getattr(sys, "_base_executable", sys.executable)
    make = ["make", "-C", str(clone.root), f"PYTHON={python}", f"LOCKS={name}", "setup"]

    def succeeds(command: list[str]) -> bool:
        return processes.run(command, cwd=clone.root, env=env, log=log) == 0

    has_make = (clone.root / "Makefile").is_file() and shutil.which("make")
    knows_setup = has_make and succeeds([*make, "--dry-run"])
    if not all(map(succeeds, [make] if knows_setup else _steps(python, venv, clone.root / name))):
        raise NotCheckedError(f"The packages cannot be installed here:\n{processes.tail(log)}")
    title = f"from the commit's {name}, Python {platform.python_version()}"
    packages = Packages(venv / "bin" / "python", title, venv=venv)
    compile_imports(clone, stages, packages.python, env, log)
    return packages


def variables(
    project: Project,
    clone: Project,
    packages: Packages,
    settings: Settings | BucketError,
    folder: Path,
    changes: Mapping[str, str],
) -> dict[str, str]:
    """The environment of the stages: that of the machine without the person's own settings.

    Args:
        project: with the `.env` of the connection.
        clone: that the stages run in.
        packages: that they run with.
        settings: the connection, or why there is none.
        folder: in which an empty home folder is made.
        changes: what is changed in this run; an empty value takes the variable away.
    """
    env = _without((*FOREIGN, *KERNELS))
    home = folder / "home"
    home.mkdir()
    if isinstance(settings, Settings):
        env = clients.environment(settings, env) | clients.own_names(project, settings)
    if not isinstance(settings, Settings) or not settings.asks_aws:  # else AWS files are at home
        env = _r_libraries(project) | env | {"HOME": str(home)}
    env |= _of_packages(packages, clone, env.get("PATH", os.defpath))
    env |= changes
    env |= kernels.pins(env)
    return {name: value for name, value in env.items() if value or name not in changes}


def _of_packages(packages: Packages, clone: Project, path: str) -> dict[str, str]:
    """What the stages need to run in the clone with the packages."""
    env = {
        "DVC_SITE_CACHE_DIR": str(clone.dvc_site_cache),
        "DVC_NO_ANALYTICS": "true",
        "PATH": os.pathsep.join([str(packages.python.parent), path]),
        NO_BYTECODE: "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "SHELL": connected.SHELL,
    }
    if packages.venv is None:
        env[ANY] = "1"  # the report says what differs; a stage would refuse to run
    if packages.paths:
        env["PYTHONPATH"] = os.pathsep.join(str(clone.root / part) for part in packages.paths)
    return env


def _r_libraries(project: Project) -> dict[str, str]:
    """Where R finds the packages that are here: the person's own, and the project's of renv.

    Both are elsewhere for a clone with another home folder.
    """
    own = "~/Library/R/%a/%v/library" if sys.platform == "darwin" else "~/R/%p-library/%v"
    of_renv = project.root.resolve() / RENV_LIBRARY
    return {"R_LIBS_USER": str(Path(own).expanduser())} | (
        {"RENV_PATHS_LIBRARY": str(of_renv)} if of_renv.is_dir() else {}
    )


def of_commands(inside: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str]:
    """Variables that commands get besides, so that Python holds conditions in them.

    Args:
        inside: the conditions, as `in_clone/_bucket_held` reads them; R, bash and libfaketime, too.
        env: the rest of their environment.
    """
    if not inside:
        return {}
    folder = Path(in_clone.__file__).parent
    paths = [str(folder), env.get("PYTHONPATH", "")]
    held = {"R_PROFILE": str(folder / "held.R"), "BASH_ENV": str(folder / "held.bash")}
    held |= {f"BUCKET_HELD_{name}": env[name] for name in held if name in env}  # they read it, too
    held |= {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    return {**inside, **preload.variables(inside), **held}


def connection(project: Project) -> Settings | BucketError:
    """The settings, or why there are none: a project whose inputs are in git needs none."""
    try:
        return Settings.load(project)
    except BucketError as error:  # no settings, or no remote
        return error


def _without(foreign: tuple[str, ...]) -> dict[str, str]:
    """The environment of the check without variables, by the beginnings of their names."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in OWN or not name.startswith(foreign)
    }


def _steps(python: str, venv: Path, lock: Path) -> list[list[str]]:
    """Commands that make an environment: uv's where it is there, which is much quicker."""
    inside = str(venv / "bin" / "python")
    if uv := shutil.which("uv"):
        options = ["--quiet", "--require-hashes", "--python", inside]
        return [
            [uv, "venv", "--quiet", "--python", python, str(venv)],
            [uv, "pip", "sync", *options, str(lock)],
        ]
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    options += ["--no-compile"]
    # What a pip.conf can say of where packages go, as the command line says it.
    options += ["--no-user", "--target=", f"--prefix={venv}", "--root=/"]
    return [
        [python, "-m", "venv", str(venv)],
        [inside, "-m", "pip", "install", *options, "--requirement", str(lock)],
    ]
