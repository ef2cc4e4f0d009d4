"""What this machine's environment would change in our programs, put right before they start.

`settle` is the first thing that the command does. What it changes in the environment, the stages
and all other programs that it starts have from it.
"""

import os
import pwd
import resource
import sys
from collections.abc import Mapping
from pathlib import Path

from dvc_bucket.base.paths import Project

#: Variables that have Python, uv or pip work in another folder or for another Python.
#: Sources: The Python Standard Library, "Command line and environment"; uv, "Environment
#: variables"; pip, "Configuration".
REDIRECTING = (
    *("PYTHONHOME", "PYTHONSTARTUP", "PYTHONUSERBASE", "PYTHONPLATLIBDIR"),
    *("UV_SYSTEM_PYTHON", "UV_PYTHON", "UV_BREAK_SYSTEM_PACKAGES", "UV_PROJECT"),
    *("UV_PROJECT_ENVIRONMENT", "UV_WORKING_DIR", "UV_WORKING_DIRECTORY", "UV_NO_VERIFY_HASHES"),
    *("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_DRY_RUN"),
    *("PIP_REQUIRE_VIRTUALENV", "PIP_BREAK_SYSTEM_PACKAGES"),
)

#: Where Python and DVC look for the name of the user. Source: getpass.getuser.
USER_NAMES = ("LOGNAME", "USER", "LNAME", "USERNAME")

#: Files that transfers and stages open at a time, at most. Some systems allow 256.
OPEN_FILES = 4096

#: The environment as the person has it, before `settle` changed it.
_before: dict[str, str] = {}


def settle() -> None:
    """Have this process and those that it starts run as on any other machine.

    Names of files are UTF-8, whatever the locale: Python is started again if it has another
    encoding. Packages come from this Python's own folders before those of `PYTHONPATH` and of the
    user. The user has a name and a home folder, and temporary files have a folder. As many files
    can be open as the system lets a program ask for.
    """
    if sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1":
        command = [sys.executable, *sys.orig_argv[1:]]
        os.execve(sys.executable, command, os.environ | {"PYTHONUTF8": "1"})  # noqa: S606 (no shell)
    _before.update(os.environ)
    os.environ["PYTHONUTF8"] = "1"
    for name in redirecting(os.environ):
        del os.environ[name]
    _settle_imports()
    settle_user()
    _allow_files()
    if fault := unusable(os.environ.get("TMPDIR", "")):
        del os.environ["TMPDIR"]
        from dvc_bucket.base.terminal import say

        say(f"TMPDIR {fault}. The system's folder is used.")


def before() -> Mapping[str, str]:
    """The environment as the person has it, where `settle` changed that of this process."""
    return _before or os.environ


def redirecting(environment: Mapping[str, str]) -> list[str]:
    """The variables of an environment that have Python, uv or pip work elsewhere."""
    names = [name for name in REDIRECTING if name in environment]
    other = environment.get("VIRTUAL_ENV")
    return [*names, "VIRTUAL_ENV"] if other and not _is_same(other, sys.prefix) else names


#: How the folder ends by which `bucket check` sees, and varies, what the Python of a stage does.
OF_CHECKS = "/dvc_bucket/jobs/check/in_clone"


def foreign_paths(environment: Mapping[str, str]) -> list[str]:
    """The folders of `PYTHONPATH` outside the project.

    None if the toolkit itself comes from there, or this Python has no DVC of its own: then that is
    where packages are installed.
    """
    project = Project.around()
    root = project.root if project else Path.cwd()
    folders = list(filter(None, environment.get("PYTHONPATH", "").split(os.pathsep)))
    own = Path(__file__).resolve().parents[2]
    if any(_is_same(folder, str(own)) for folder in folders) or not _has_packages():
        return []
    others = [folder for folder in folders if not Path(folder).resolve().is_relative_to(root)]
    return [folder for folder in others if not folder.endswith(OF_CHECKS)]


def settle_user() -> None:
    """Give the user a name and a home folder, where the system knows neither.

    So it is in a container that runs with a number for a user; DVC asks for both.
    """
    if not any(map(os.environ.get, USER_NAMES)):
        try:
            pwd.getpwuid(os.getuid())
        except KeyError:
            os.environ["LOGNAME"] = f"uid-{os.getuid()}"
    if not os.environ.get("HOME"):
        try:
            os.environ["HOME"] = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:
            os.environ["HOME"] = "/"  # as container engines set it


def unusable(folder: str) -> str:
    """Why temporary files cannot be in a folder, as a clause; empty if they can, or if no name."""
    if not folder or os.access(folder, os.W_OK | os.X_OK):
        return ""
    if not Path(folder).is_dir():
        return f"names {folder}, which is not a folder"
    return f"names {folder}, which is not writable"


def _allow_files() -> None:
    """Have this process open as many files as the system lets it, up to what transfers need."""
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
    if limit not in {resource.RLIM_INFINITY, wanted} and limit < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _settle_imports() -> None:
    """Import from this Python's own folders first, here and in what is started."""
    folders = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    last = foreign_paths(os.environ)
    kept = [folder for folder in folders if folder and folder not in last]
    os.environ["PYTHONPATH"] = os.pathsep.join(kept)
    if not kept:
        del os.environ["PYTHONPATH"]
    site = sys.modules.get("site")  # none where Python started without
    user = site.getusersitepackages() if site else ""
    if user and _has_packages():
        os.environ["PYTHONNOUSERSITE"] = "1"
        last.append(user)
    moved = [path for path in sys.path if path in last]
    sys.path[:] = [*(path for path in sys.path if path not in moved), *moved]


def _has_packages() -> bool:
    """Whether this Python's own folders have the packages that the toolkit needs."""
    site = sys.modules.get("site")
    folders = site.getsitepackages() if site else ()
    return any(Path(folder, "dvc").is_dir() for folder in folders)


def _is_same(first: str, second: str) -> bool:
    return os.path.realpath(first) == os.path.realpath(second)
