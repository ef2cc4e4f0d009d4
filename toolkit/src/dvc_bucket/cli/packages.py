"""`bucket add-package`, which `make add` calls."""

from typing import Annotated

import typer


def add_package(
    package: Annotated[str, typer.Argument(help="Name and range of versions.")],
) -> None:
    """Add a package to the dependencies in pyproject.toml.

    Examples:
      bucket add-package scipy
      bucket add-package "scipy>=1.14"
    """
    from dvc_bucket.base.paths import Project
    from dvc_bucket.jobs import packages

    packages.add_package(Project.find(), package)
