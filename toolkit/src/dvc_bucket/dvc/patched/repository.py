"""A project as DVC sees it: opened, its outputs, and whether git has it."""

import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.errors import DiskError, ProjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.base.surroundings import settle_user
from dvc_bucket.base.words import one_line
from dvc_bucket.connection.settings import trust
from dvc_bucket.dvc.others import Origin
from dvc_bucket.dvc.patched.differences import DvcDiffersError, require
from dvc_bucket.dvc.patched.read_once import read_once
from dvc_bucket.dvc.patched.touch_points import READING
from dvc_bucket.dvc.patched.whole_commits import bring_first
from dvc_bucket.dvc.site_cache import site_cache
from dvc_bucket.git.contents import is_in_repository

if TYPE_CHECKING:
    from dvc.output import Output
    from dvc.repo import Repo

#: The packages that are DVC.
PACKAGES = {"dvc", "dvc_data", "dvc_objects", "dvc_s3"}

#: Held while a project is opened: DVC sets the umask of the process to 0 for a moment there. Of two
#: threads, one would take that for the umask to go back to, and files would be everybody's.
_opening = threading.Lock()


@contextmanager
def opened(
    project: Project, config: Mapping[str, Mapping[str, Any]] | None = None
) -> "Iterator[Repo]":
    """The project as DVC sees it.

    Args:
        project: the clone.
        config: options of DVC that are to be others, by section.

    Raises:
        ProjectError: DVC cannot open it, or cannot read one of its files.
        DvcDiffersError: this DVC has another inside than the tested one.
        DiskError: DVC's database cannot be written.
        UnsafePathError: other users can enter the folder of DVC's databases.
        SettingsError: somebody else could have put there what DVC would trust.
    """
    require(READING)
    trust.check(project)
    bring_first()
    read_once()
    settle_user()  # DVC asks for it
    repo = _repo(project, {name: dict(options) for name, options in (config or {}).items()})
    try:
        with _explained(project):
            yield repo
    finally:
        repo.close()


def _repo(project: Project, sections: dict[str, dict[str, Any]]) -> "Repo":
    """Have DVC open a project."""
    root = project.root
    core: dict[str, Any] = {"site_cache_dir": site_cache(project)}
    if not is_in_repository(root):
        core["no_scm"] = True
    try:
        with _opening:
            from dvc.repo import Repo

            config = sections | {"core": core | sections.get("core", {})}
            return Repo(os.fspath(root), config=config)
    except sqlite3.OperationalError as error:
        raise _no_database(project, error) from None
    except OSError:
        raise
    except Exception as error:  # the edge to DVC: a configuration can break it in any way
        raise ProjectError(
            f"DVC cannot open {root}: {one_line(error)}. Look at .dvc/config."
        ) from None


@contextmanager
def _explained(project: Project) -> Iterator[None]:
    """Have DVC's failures while it reads a project be ours."""
    from dvc.exceptions import DvcException

    try:
        yield
    except DvcException as error:
        said = str(error).strip().partition("\n")[0]
        raise ProjectError(
            f"DVC cannot read {project.root}: {said}. `bucket status` shows the place."
        ) from None
    except sqlite3.OperationalError as error:
        raise _no_database(project, error) from None
    except AttributeError as error:
        if place := _place(error):
            raise DvcDiffersError([place]) from error
        raise


def outputs(repo: "Repo") -> "list[tuple[str, Output]]":
    """Outputs of all stages and `.dvc` files of what `repo` is switched to, by path or address."""
    from dvc.exceptions import NotDvcRepoError

    try:
        outs = list(repo.index.outs)
    except NotDvcRepoError:
        return []
    return [
        (from_root(repo, out.fs_path) if out.protocol == "local" else str(out.def_path), out)
        for out in outs
    ]


def origin(out: "Output") -> "Origin | None":
    """Where the data of an output was imported from; None if it was not, or in another way.

    Data that was imported with options of a remote (`--config`, `--remote-config`) is for DVC only.
    """
    if not out.stage.is_repo_import:
        return None
    dependency = out.stage.deps[0]
    noted = dependency.def_repo
    remote = noted.get("remote")
    if noted.get("config") or not isinstance(remote, str | None):
        return None
    rev = noted.get("rev_lock") or noted.get("rev")
    # A path from the project's root, as DVC means it where a command runs there.
    near = Path(out.stage.repo.root_dir) / noted["url"]
    url = str(near.resolve()) if near.is_dir() else str(noted["url"])
    return Origin(url, rev, str(dependency.def_path), remote)


def from_root(repo: "Repo", path: str) -> str:
    """A path of DVC from the project's root, with slashes."""
    return str(repo.fs.relpath(path, repo.root_dir)).replace(os.sep, "/")


def has_git(repo: "Repo") -> bool:
    """Whether the project is in a git repository that DVC uses."""
    from dvc.scm import NoSCM

    return not isinstance(repo.scm, NoSCM)


def _no_database(project: Project, error: sqlite3.OperationalError) -> DiskError:
    return DiskError(
        f"DVC's database of file hashes in {project.dvc_site_cache} fails: {error}. Is the disk "
        "full? Free some space and run the command again."
    )


def _place(error: AttributeError) -> str:
    """The attribute that an object of DVC's does not have; empty if it is not of such an object."""
    kind = type(error.obj)
    is_of_dvc = kind.__module__.partition(".")[0] in PACKAGES
    return f"{kind.__module__}:{kind.__name__}.{error.name}" if is_of_dvc else ""
