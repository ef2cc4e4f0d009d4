"""What DVC tracks at a revision, as DVC's own code says."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.paths import Project
from dvc_bucket.connection.settings import trust
from dvc_bucket.dvc.patched import repository
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.site_cache import site_cache

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.types import Output, Repo

#: DVC's name of the hash that it used before version 3.
LEGACY = "md5-dos2unix"


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
        UnsafePathError: other users can enter the folder of DVC's databases.
        SettingsError: somebody else could have put there what DVC would trust.
    """
    trust.check(project)
    core: dict[str, Any] = {"site_cache_dir": site_cache(project)}
    if not any((folder / ".git").exists() for folder in (project.root, *project.root.parents)):
        core["no_scm"] = True
    sections = {name: dict(options) for name, options in (config or {}).items()}
    sections["core"] = core | sections.get("core", {})
    with repository.open_repo(project.root, sections) as repo:
        yield repo


def outputs(repo: "Repo") -> list[tuple[str, "Output"]]:
    """Outputs of all stages and `.dvc` files of what `repo` is switched to, by path."""
    return [(dataset_of(repo, out), out) for out in repository.outputs(repo)]


def dataset_of(repo: "Repo", out: "Output") -> str:
    """Path of an output from the project's root; of one elsewhere, its address."""
    if out.protocol != "local":
        return str(out.def_path)
    return from_root(repo, out.fs_path)


def from_root(repo: "Repo", path: str) -> str:
    """A path of DVC from the project's root, with slashes."""
    return str(repo.fs.relpath(path, repo.root_dir)).replace(os.sep, "/")


def absence(out: "Output") -> str:
    """Why the data of an output is on no remote of its project; empty if it can be.

    The words follow "it is".
    """
    if not out.use_cache:
        return "not in DVC's cache (cache: false): git has it, or only the workspace"
    if out.stage.is_repo_import:
        return "imported: its data is in the repository where it comes from"
    if not out.hash_info:
        return "not recorded yet: `bucket repro`, then `bucket push`"
    return ""


def name_of(out: "Output") -> bytes:
    """The name of an output's object; that of a directory stands for all its files.

    Raises:
        ValueError: its hash is none that DVC names objects by.
    """
    return ids.encode(str(out.hash_info.value), legacy=out.hash_info.name == LEGACY)
