"""The environment of this shell: what plain `dvc` and `pip` take from it, unlike `bucket`, `make`.

Each of these is no fault for `bucket`, which starts without them; see `base/surroundings`.
"""

import configparser
import locale
import os
import pwd
import resource
import sys
import tempfile
from pathlib import Path
from typing import ClassVar

from dvc_bucket.base import scratch, surroundings
from dvc_bucket.jobs.doctor.check import Check, Warn
from dvc_bucket.jobs.doctor.patient import Patient


class ShellOfStages(Check):
    """Plain `dvc` runs stages by your login shell: another syntax, another PATH, or none at all."""

    name = "shell"
    fix = (
        "Use `bucket repro` or `make`, which run stages with /bin/sh, or `SHELL=/bin/sh dvc repro`."
    )

    #: Shells that read a command as /bin/sh does, and no start file before it.
    LIKE_SH: ClassVar = {"sh", "bash", "dash", "ash", "ksh", "zsh"}

    @staticmethod
    def check(patient: Patient) -> str:  # noqa: ARG004
        """Look at SHELL."""
        shell = surroundings.before().get("SHELL") or "/bin/sh"
        if Path(shell).name not in ShellOfStages.LIKE_SH:
            raise Warn(f"plain `dvc repro` runs stages with {shell}")
        if not os.access(shell, os.X_OK):
            raise Warn(f"SHELL names {shell}, which is not executable")
        return shell


class ImportsOwn(Check):
    """Packages of a module or of your own folder come before those of the lock file."""

    name = "packages"
    fix = "Use `bucket repro` or `make`, which ignore them, or unset these variables."

    @staticmethod
    def check(patient: Patient) -> str:  # noqa: ARG004
        """Look at the variables of Python, uv and pip."""
        environment = surroundings.before()
        if folders := surroundings.foreign_paths(environment):
            raise Warn(f"PYTHONPATH names {', '.join(folders)}; plain dvc imports from there first")
        if names := surroundings.redirecting(environment):
            raise Warn(
                f"the environment sets {', '.join(names)}, which point to another Python or folder"
            )
        return "of this Python only"


class PipInstallsHere(Check):
    """Your own `pip install` puts packages elsewhere than into the Python that it is called by."""

    name = "pip"
    fix = "Use `make setup`, which ignores it, or remove the line from the file."

    #: Options that lead elsewhere. Source: pip, "pip install".
    OPTIONS: ClassVar = ("user", "target", "prefix", "root")

    @staticmethod
    def check(patient: Patient) -> str:  # noqa: ARG004
        """Read the files of pip's settings. Source: pip, "Configuration"."""
        environment = surroundings.before()
        home = Path(environment.get("HOME") or "/")
        settings = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
        places = (Path("/etc"), home / ".pip", settings / "pip", Path(sys.prefix))
        files = [place / "pip.conf" for place in places]
        files += [Path(environment[name]) for name in ("PIP_CONFIG_FILE",) if environment.get(name)]
        for file in filter(Path.is_file, files):
            read = configparser.RawConfigParser()
            try:
                read.read(file, encoding="utf-8")
            except (configparser.Error, UnicodeDecodeError):  # pip itself says so
                continue
            for section in {"global", "install"}.intersection(read.sections()):
                for option in filter(read[section].get, PipInstallsHere.OPTIONS):
                    raise Warn(f"{file} sets {option} ([{section}])")
        return "no setting that points elsewhere"


class NamesAreUtf8(Check):
    """With another encoding DVC records other names than your colleagues see."""

    name = "names of files"
    fix = "Use `bucket`, which always uses UTF-8, or `export LC_ALL=C.UTF-8`."

    #: How systems call UTF-8, and ASCII, for which Python takes UTF-8.
    FINE: ClassVar = {"UTF8", "ANSIX3.41968", "USASCII", "646", ""}

    @staticmethod
    def check(patient: Patient) -> str:  # noqa: ARG004
        """Ask the C library for the encoding of the locale."""
        before = locale.setlocale(locale.LC_CTYPE)
        try:
            locale.setlocale(locale.LC_CTYPE, "")
            encoding = locale.nl_langinfo(locale.CODESET)
        except locale.Error:  # there is no such locale, and Python takes UTF-8
            encoding = ""
        finally:
            locale.setlocale(locale.LC_CTYPE, before)
        if encoding.upper().replace("-", "").replace("_", "") not in NamesAreUtf8.FINE:
            raise Warn(f"the locale has {encoding}, in which plain dvc records names")
        return "UTF-8"


class UserKnown(Check):
    """DVC and other programs ask for the name of the user and for a home folder."""

    name = "user"
    fix = "Set LOGNAME, and HOME to a folder of your own. `bucket` works without them."

    @staticmethod
    def check(patient: Patient) -> str:  # noqa: ARG004
        """Look both up."""
        environment, number = surroundings.before(), os.getuid()
        try:
            name = pwd.getpwuid(number).pw_name
        except KeyError:
            name = ""
        if not (name or any(map(environment.get, surroundings.USER_NAMES))):
            raise Warn(f"the user with the ID {number} has no name; plain dvc does not start")
        home = environment.get("HOME")
        if not home or not os.access(home, os.W_OK | os.X_OK):
            raise Warn(f"HOME names {home or 'nothing'}, which is not writable")
        return f"{name or number}, {home}"


class TemporaryFiles(Check):
    """`bucket check` runs stages there, and stages put files and sockets there."""

    name = "temporary files"
    fix = (
        "Set TMPDIR to a folder with a short name in which programs run: `export TMPDIR=/var/tmp`."
    )

    @staticmethod
    def check(patient: Patient) -> str:  # noqa: ARG004
        """Run a program there."""
        named = surroundings.before().get("TMPDIR", "")
        if fault := surroundings.unusable(named):
            raise Warn(f"TMPDIR {fault}")
        folder = Path(named or tempfile.gettempdir())
        if fault := scratch.fault(folder):
            raise Warn(f"{folder} {fault}")
        return str(folder)


class FilesOpen(Check):
    """Transfers and stages hold many files open at a time."""

    name = "open files"
    fix = "`ulimit -n 1024`"

    #: What DVC's own transfers and a stage with its libraries need.
    ENOUGH: ClassVar = 256

    @staticmethod
    def check(patient: Patient) -> str:  # noqa: ARG004
        """Ask for the limit of this shell."""
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if 0 < limit < FilesOpen.ENOUGH:
            raise Warn(f"{limit} at a time (ulimit -n)")
        return f"{limit if limit > 0 else 'any number'} at a time"
