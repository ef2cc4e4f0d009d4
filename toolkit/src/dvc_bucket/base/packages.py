"""`packages.yaml`: the versions of the packages that stages depend on.

Stages name packages in dvc.yaml (`params: - packages.yaml: [pandas]`), so that DVC reruns a stage
when the version of one changes. The file is written from the lock file and has only packages that
a stage names: its difference in a review is what may change results. Names are those of PEP 503,
which have no dots: DVC takes a dot for a level. R, its packages and tools of the system have names
of their own (`foreign_packages`); renv.lock pins the former, and a tool has the version with which
it was recorded.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata

from dvc_bucket.base import foreign_packages, lock_file, project_settings
from dvc_bucket.base.errors import PackagesError, ProjectError
from dvc_bucket.base.files import replacing
from dvc_bucket.base.foreign_packages import OF_R, RENV_LOCK, TOOL, R, is_python
from dvc_bucket.base.paths import Project
from dvc_bucket.base.words import listed

FILE = "packages.yaml"

#: The command that writes the file.
WRITE = "bucket env --write"

#: The command that records the versions of tools again.
RECORD = "bucket env --tools"

#: Between the versions of a package that the lock file pins for several systems.
OR = " or "

HEAD = """\
# The versions of the packages that stages depend on (params in dvc.yaml). `make lock` writes them.
"""

#: A line with a package. Versions are quoted: YAML would read 2.10 as 2.1.
LINE = re.compile(
    r"([a-z0-9]+(?:-[a-z0-9]+)*|R(?:/[A-Za-z][A-Za-z0-9-]*)?|tool/[A-Za-z0-9][A-Za-z0-9+_-]*)"
    r': "([^"\\]+)"'
)

#: The first line of that name in a METADATA file; parsing all of it takes 5 ms.
VERSION = re.compile(r"^Version:[ \t]*(\S+)", re.MULTILINE)

#: With this variable stages run with the installed packages, whatever the file says.
ANY = "BUCKET_ANY_PACKAGES"


@dataclass(frozen=True)
class Difference:
    """A package of which another version is installed than packages.yaml has.

    Attributes:
        name: of the package.
        wanted: its version in packages.yaml.
        installed: its version here; `(none)` if it is not installed.
    """

    name: str
    wanted: str
    installed: str

    def __str__(self) -> str:
        """A clause."""
        return f"{self.name} {self.installed} is installed, not {self.wanted}"


def read(project: Project) -> dict[str, str]:
    """Version by name; none if there is no file.

    Raises:
        ProjectError: it is not what `write` writes.
    """
    try:
        text = project.packages.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(
            f"{FILE} cannot be read ({type(error).__name__}). Write it again with: {WRITE}"
        ) from None
    versions = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            package = LINE.fullmatch(line)
            if not package:
                raise ProjectError(
                    f'{FILE}, line {number}: {line[:60]!r} is not `name: "version"`. Write the '
                    f"file again with: {WRITE}"
                )
            versions[package[1]] = package[2]
    return versions


def locked(project: Project, names: Iterable[str]) -> dict[str, str]:
    """Version by name as the lock files pin them; without those that none pins.

    A tool is pinned by no lock file: it has the version that packages.yaml records, or else the one
    that is here.

    Raises:
        ProjectError: there is no lock file, or it or packages.yaml cannot be read.
    """
    wanted = sorted({*names})
    python = [name for name in wanted if is_python(name)]
    versions = _locked_python(project, python) if python else {}
    if any(name == R or name.startswith(OF_R) for name in wanted):
        versions |= foreign_packages.pinned_by_renv(project.root)
    if tools := [name for name in wanted if name.startswith(TOOL)]:
        recorded = read(project)
        versions |= {name: recorded[name] for name in tools if name in recorded}
        new = [name for name in tools if name not in recorded]
        versions |= foreign_packages.installed(new, project.root)
    return {name: versions[name] for name in wanted if name in versions}


def _locked_python(project: Project, names: Iterable[str]) -> dict[str, str]:
    file = project_settings.of(project).lock_file
    try:
        text = (project.root / file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(
            f"{file} cannot be read ({type(error).__name__}). It pins the packages; write it with: "
            "make lock"
        ) from None
    versions = lock_file.versions(text)
    return {name: OR.join(versions[name]) for name in names if name in versions}


def lock_of(project: Project, name: str) -> str:
    """The file that pins a package; of a tool, the one that records it."""
    if name.startswith(TOOL):
        return FILE
    return project_settings.of(project).lock_file if is_python(name) else RENV_LOCK


def text_of(versions: Mapping[str, str]) -> str:
    """The content of the file."""
    return HEAD + "".join(f'{name}: "{version}"\n' for name, version in sorted(versions.items()))


def write(project: Project, versions: Mapping[str, str]) -> bool:
    """Write the file if it has to be another one; whether it was written."""
    content = text_of(versions).encode()
    if project.packages.is_file() and project.packages.read_bytes() == content:
        return False
    with replacing(project.packages, 0o644) as file:
        file.write(content)
    return True


def installed(names: Collection[str], project: Project) -> dict[str, str]:
    """The versions of packages here, or their commits, by name; without those not installed."""
    python = {name: _installed_python(name) for name in names if is_python(name)}
    others = [name for name in names if not is_python(name)]
    found = python | (foreign_packages.installed(others, project.root) if others else {})
    return {name: version for name, version in found.items() if version}


def _installed_python(name: str) -> str:
    try:
        return version_of(metadata.distribution(name))
    except metadata.PackageNotFoundError:
        return ""


def version_of(distribution: metadata.Distribution) -> str:
    """The version of an installed package, or its commit."""
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    if commit := origin.get("vcs_info", {}).get("commit_id"):
        return str(commit)
    version = VERSION.search(distribution.read_text("METADATA") or "")
    return lock_file.public(version[1] if version else distribution.version)


def different(
    project: Project, is_asked: Callable[[str], bool] = lambda _: True
) -> list[Difference]:
    """The packages of packages.yaml of which another version is installed, or none.

    None at all with `BUCKET_ANY_PACKAGES` in the environment.

    Args:
        project: the clone.
        is_asked: whether to look at the package of a name; default: at all.

    Raises:
        ProjectError: packages.yaml cannot be read.
    """
    if os.environ.get(ANY):
        return []
    versions = read(project)
    return _different(project, {name: versions[name] for name in versions if is_asked(name)})


def not_locked(project: Project) -> list[Difference]:
    """The packages of packages.yaml of which another version is installed than is pinned.

    Raises:
        ProjectError: packages.yaml or a lock file cannot be read.
    """
    return _different(project, locked(project, read(project)))


def _different(project: Project, versions: Mapping[str, str]) -> list[Difference]:
    present = installed(versions, project)
    return [
        Difference(name, wanted, present.get(name, "(none)"))
        for name, wanted in versions.items()
        if not is_same(wanted, present.get(name, ""))
    ]


def is_same(wanted: str, version: str) -> bool:
    """Whether an installed version is one that packages.yaml has."""
    return version in wanted.split(OR)


def check_imported() -> None:
    """Refuse to go on with an imported package of another version than packages.yaml has.

    Raises:
        PackagesError: naming the packages and what to do.
        ProjectError: packages.yaml cannot be read.
    """
    project = Project.around()
    different_ones = different(project, is_python) if project else []
    if differences := [one for one in different_ones if _is_imported(one.name)]:
        raise refusal("it", differences)


def _is_imported(name: str) -> bool:
    """Whether this process has imported a module of a package."""
    try:
        files = metadata.distribution(name).files or ()
    except metadata.PackageNotFoundError:
        return False
    loaded = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    return not loaded.isdisjoint(str(file.locate()) for file in files if file.suffix == ".py")


def refusal(who: str, found: Sequence[Difference]) -> PackagesError:
    """The error of stages that would run with other packages than DVC would record.

    Args:
        who: the stages.
        found: the differences.
    """
    return PackagesError(
        f"{who} would run with {listed([f'{one.name} {one.installed}' for one in found])}, but "
        f"{FILE} has {listed([one.wanted for one in found])}. {fixes([one.name for one in found])}"
    )


def fixes(names: Sequence[str]) -> str:
    """What to do where other versions of these packages are installed: a sentence for each kind."""
    tools = [name.removeprefix(TOOL) for name in names if name.startswith(TOOL)]
    said = {
        f"Install the versions of the lock file (`make setup`), or update {FILE} from a changed "
        "lock file (`make lock`).": any(map(is_python, names)),
        f"Install the versions of {RENV_LOCK} (packages with `renv::restore()` in R), or update "
        f"{FILE} from a changed {RENV_LOCK} (`{WRITE}`).": any(
            name == R or name.startswith(OF_R) for name in names
        ),
        f"Install that version of {listed(tools)}, or record the installed one (`{RECORD}`).": bool(
            tools
        ),
    }
    return " ".join(text for text, is_wanted in said.items() if is_wanted)
