"""Packages of R, and tools of the system: their names in packages.yaml, their versions here.

Beside Python's packages, packages.yaml has `R` (R itself, with the packages that come with it),
`R/NAME` (a package that renv.lock pins) and `tool/NAME` (a Debian package or a program). A dot in
the name of an R package is written as a hyphen, which none has: DVC takes a dot for a level.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from dvc_bucket.base.errors import ProjectError

R, OF_R, TOOL = "R", "R/", "tool/"

#: The file in which renv pins R and its packages: https://rstudio.github.io/renv, "Lockfiles".
RENV_LOCK = "renv.lock"

#: The packages that come with R and have its version.
BASE = frozenset([
    *("base", "compiler", "datasets", "graphics", "grDevices", "grid", "methods", "parallel"),
    *("splines", "stats", "stats4", "tcltk", "tools", "utils"),
])  # fmt: skip

#: The name of a tool: it is looked up, and may be run with `--version`.
TOOL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+_-]*")

#: Folders of programs that come from Debian's packages.
SYSTEM = ("/usr/bin", "/bin", "/usr/sbin", "/sbin")

#: How long R, dpkg-query or a tool may take to say its version.
MAX_SECONDS = 30

#: Values of RemoteType in renv.lock whose packages come from a commit.
FROM_GIT = ("github", "gitlab", "bitbucket", "git", "git2r", "xgit")

#: A line for each package that is installed, in the library that the project has: renv's
#: `.Rprofile` chooses it, and may print other lines.
ASK_R = r"""
fields <- c("Version", "RemoteType", "RemoteSha")
for (name in commandArgs(trailingOnly = TRUE)) {
  found <- suppressWarnings(packageDescription(name, fields = fields))
  if (is.list(found)) cat("\nbucket", name, unlist(found), "\n", sep = "\t")
}
"""

#: The form of dpkg-query's answer.
ASK_DPKG = "${db:Status-Status} ${Version}\\n"


def is_python(name: str) -> bool:
    """Whether a name in packages.yaml is that of a Python package."""
    return name != R and not name.startswith((OF_R, TOOL))


def of_r(package: str) -> str:
    """The name of an R package in packages.yaml."""
    return R if package in BASE else OF_R + package.replace(".", "-")


def pinned_by_renv(root: Path) -> dict[str, str]:
    """The versions of R and its packages in renv.lock, by name in packages.yaml.

    Raises:
        ProjectError: the file is not there, or not what renv writes.
    """
    try:
        content = json.loads((root / RENV_LOCK).read_text(encoding="utf-8"))
        packages = {of_r(one): _version(pin) for one, pin in content["Packages"].items()}
        return {R: str(content["R"]["Version"])} | packages
    except FileNotFoundError:
        raise ProjectError(
            f"{RENV_LOCK}, which pins R and its packages, is missing. Write it in R: "
            "renv::snapshot()"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProjectError(
            f"{RENV_LOCK} does not have the form that renv writes ({type(error).__name__}: "
            f"{error}). Write it again in R: renv::snapshot()"
        ) from None


def lock_of_r(version: str) -> str:
    """The text of a renv.lock that pins R and no package yet."""
    lock = {"R": {"Version": version, "Repositories": []}, "Packages": {}}
    return json.dumps(lock, indent=2) + "\n"


def _version(pin: Mapping[str, Any]) -> str:
    """The version of a package, or the commit that it was built of."""
    if pin.get("RemoteType") in FROM_GIT and pin.get("RemoteSha"):
        return str(pin["RemoteSha"])
    return str(pin["Version"])


def installed(names: Collection[str], root: Path) -> dict[str, str]:
    """The versions here, by name in packages.yaml; without what is not installed.

    Args:
        names: of R, its packages and tools.
        root: of the project, whose `.Rprofile` chooses the library of R.
    """
    of_r_names = tuple(sorted(name for name in names if not name.startswith(TOOL)))
    tools = {name: tool_version(name.removeprefix(TOOL)) for name in names if name.startswith(TOOL)}
    versions = dict(_installed_in_r(of_r_names, root)) if of_r_names else {}
    return versions | {name: version for name, version in tools.items() if version}


@cache
def _installed_in_r(names: Sequence[str], root: Path) -> Mapping[str, str]:
    program = shutil.which("Rscript")
    if program is None:
        return {}
    packages = ["base" if one == R else one.removeprefix(OF_R).replace("-", ".") for one in names]
    said = _said(program, "-e", ASK_R, *packages, folder=root)
    lines = (line.split("\t") for line in said.splitlines() if line.startswith("bucket\t"))
    keys = ("Version", "RemoteType", "RemoteSha")
    return {of_r(line[1]): _version(dict(zip(keys, line[2:5], strict=True))) for line in lines}


@cache
def tool_version(name: str) -> str:
    """The version of a tool here, as its authors count; empty if it is not installed or says none.

    Of a Debian package, what dpkg knows; of any other program on the PATH, what it answers to
    `--version`. Epoch and revision of Debian are left out: `2:9.1-1+b1` and `9.1` are one version.
    """
    if not TOOL_NAME.fullmatch(name):
        return ""
    program, query = shutil.which(name), shutil.which("dpkg-query")
    if query and (program is None or Path(program).parent.as_posix() in SYSTEM):
        state, _, version = _said(query, "-W", f"-f={ASK_DPKG}", name).partition(" ")
        if state == "installed":
            return of_authors(version)
    said = _said(program, "--version") if program else ""
    number = re.search(r"\d+(?:\.\d+)+[a-z]?\b", said) or re.search(r"\d+", said)
    return number[0] if number else ""


def of_authors(version: str) -> str:
    """A version of Debian without epoch, revision and what was taken out: as the authors count."""
    return re.split(r"[-+~]", version.partition(":")[2] or version)[0]


def _said(*command: str, folder: Path | None = None) -> str:
    """What a program prints that succeeds; nothing of another."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=os.environ | {"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=MAX_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    said = done.stdout or done.stderr  # some write their version to the other stream
    return said.decode("utf-8", errors="replace") if done.returncode == 0 else ""
