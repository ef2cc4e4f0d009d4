"""`bucket env`, and `bucket add-package`, which `make add` calls."""

from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from dvc_bucket.base.options import JsonOption

if TYPE_CHECKING:
    from dvc_bucket.base.paths import Project


DeclareOption = Annotated[
    bool,
    typer.Option(
        "--declare", help="Add the packages that stages import to dvc.yaml, then --write."
    ),
]
WriteOption = Annotated[
    bool, typer.Option("--write", help="Write packages.yaml from the lock file.")
]
ToolsOption = Annotated[
    bool,
    typer.Option("--tools", help="Record the installed versions of tools, then --write."),
]
InstalledOption = Annotated[
    bool,
    typer.Option("--installed", help="Compare installed versions with the lock file."),
]


def env(
    as_json: JsonOption = False,
    declare: DeclareOption = False,
    write: WriteOption = False,
    tools: ToolsOption = False,
    installed: InstalledOption = False,
) -> None:
    """List the packages that each stage depends on, with version and reason.

    `make lock` calls it with --write. With --installed, it exits with 1 if a version differs.

    Examples:
      bucket env
      bucket env --declare
    """
    from dvc_bucket.base import packages as file
    from dvc_bucket.base.paths import Project
    from dvc_bucket.jobs import env as job
    from dvc_bucket.stages.declared import versions

    project = Project.find()
    if declare:
        from dvc_bucket.jobs.env.declare import declare as add

        for line in add(project) or ["Every stage declares the packages that it imports."]:
            print(line)
    elif write or tools:
        is_new = versions.write(project, record_tools=tools)
        print(f"Wrote {file.FILE}." if is_new else f"{file.FILE} is up to date.")
    elif installed:
        _compare_installed(project)
    else:
        rows = job.rows(project)
        if as_json:
            print(job.as_json(rows))
        else:
            job.show(rows)


def _compare_installed(project: "Project") -> NoReturn:
    """For `make setup`, which installs Python's packages and no others."""
    from dvc_bucket.base import packages as file
    from dvc_bucket.base.foreign_packages import is_python

    different = [one for one in file.not_locked(project) if is_python(one.name)]
    for one in different:
        print(one)
    raise typer.Exit(1 if different else 0)


def add_package(
    package: Annotated[str, typer.Argument(help="Name, with or without a version range.")],
) -> None:
    """Add a package to the dependencies in pyproject.toml.

    Examples:
      bucket add-package scipy
      bucket add-package "scipy>=1.14"
    """
    from dvc_bucket.base.paths import Project
    from dvc_bucket.jobs import packages

    packages.add_package(Project.find(), package)
