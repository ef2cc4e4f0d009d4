"""A project as DVC sees it: opened, its outputs, and whether git has it."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.dvc.patched.differences import DvcDiffersError, require
from dvc_bucket.dvc.patched.touch_points import READING

if TYPE_CHECKING:
    from dvc.output import Output
    from dvc.repo import Repo

#: The packages that are DVC.
PACKAGES = {"dvc", "dvc_data", "dvc_objects", "dvc_s3"}


@contextmanager
def open_repo(root: Path, config: Mapping[str, Mapping[str, Any]]) -> "Iterator[Repo]":
    """The project in a folder.

    Args:
        root: the folder.
        config: options of DVC that are to be others, by section.

    Raises:
        ProjectError: DVC cannot open it, or cannot read one of its files.
        DvcDiffersError: this DVC has another inside than the tested one.
    """
    require(READING)
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        repo = Repo(
            os.fspath(root), config={name: dict(options) for name, options in config.items()}
        )
    except DvcException as error:
        raise ProjectError(f"DVC cannot open {root}: {error}") from None
    try:
        yield repo
    except DvcException as error:
        said = str(error).strip().partition("\n")[0]
        raise ProjectError(
            f"DVC cannot read {root}: {said}. `bucket status` shows the place."
        ) from None
    except AttributeError as error:
        if place := _place(error):
            raise DvcDiffersError([place]) from error
        raise
    finally:
        repo.close()


def outputs(repo: "Repo") -> "list[Output]":
    """Outputs of all stages and `.dvc` files of what `repo` is switched to."""
    from dvc.exceptions import NotDvcRepoError

    try:
        return list(repo.index.outs)
    except NotDvcRepoError:
        return []


def has_git(repo: "Repo") -> bool:
    """Whether the project is in a git repository that DVC uses."""
    from dvc.scm import NoSCM

    return not isinstance(repo.scm, NoSCM)


def _place(error: AttributeError) -> str:
    """The attribute that an object of DVC's does not have; empty if it is not of such an object."""
    kind = type(error.obj)
    is_of_dvc = kind.__module__.partition(".")[0] in PACKAGES
    return f"{kind.__module__}:{kind.__name__}.{error.name}" if is_of_dvc else ""
