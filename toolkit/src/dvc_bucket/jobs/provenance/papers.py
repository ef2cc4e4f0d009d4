"""The papers of a commit: who wrote it, under which licences, in which environment.

They are `CITATION.cff`, `pyproject.toml`, the page of the data and the lock files of packages.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dvc_bucket.base import data_page, project_settings
from dvc_bucket.base.data_page import DatasetRow
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.dvc.patched import yaml
from dvc_bucket.git.revision import Revision

README, CITATION = "README.md", "CITATION.cff"

#: Files that pin an environment: the tool that reads them, and the page on their format.
PIP = ("pip", "https://pip.pypa.io/en/stable/reference/requirements-file-format/")
LOCK_FILES = {
    "uv.lock": ("uv", "https://docs.astral.sh/uv/concepts/projects/layout/"),
    "poetry.lock": ("Poetry", "https://python-poetry.org/docs/basic-usage/"),
    "pdm.lock": ("PDM", "https://pdm-project.org/latest/usage/lockfile/"),
    "pixi.lock": ("pixi", "https://pixi.sh/latest/workspace/lockfile/"),
    "conda-lock.yml": ("conda-lock", "https://conda.github.io/conda-lock/"),
    "renv.lock": ("renv", "https://rstudio.github.io/renv/articles/lockfile.html"),
    "requirements.txt": PIP,
    "environment.yml": (
        "conda",
        "https://docs.conda.io/projects/conda/en/latest/user-guide/tasks/manage-environments.html",
    ),
}


@dataclass(frozen=True)
class Author:
    """A person or, where there is no family name, a group.

    Attributes:
        name: in full.
        family_name: empty for a group.
        given_name: empty for a group; may be empty.
        address: ORCID of a person, web page of either; may be empty.
        affiliation: name of an organisation; may be empty.
    """

    name: str
    family_name: str = ""
    given_name: str = ""
    address: str = ""
    affiliation: str = ""


@dataclass(frozen=True)
class Papers:
    """The papers of a commit. A text that they do not have is empty.

    Attributes:
        title: of the project.
        description: a sentence or more.
        licence: of the code: an SPDX expression, or words.
        authors: in their order.
        repository: its web page.
        datasets: the rows of all tables of datasets.
        pages: paths of the papers that people read.
        lock_files: paths of the files that pin the environment.
        python: the required version of Python, such as `>=3.11`.
        dvc: the pinned version of DVC.
    """

    title: str
    description: str
    licence: str
    authors: Sequence[Author]
    repository: str
    datasets: Sequence[DatasetRow]
    pages: Sequence[str]
    lock_files: Sequence[str]
    python: str
    dvc: str

    @property
    def platform(self) -> str:
        """Name and version of what runs the scripts."""
        return f"Python {self.python}" if self.python else ""

    def commit_page(self, commit: str) -> str:
        """The web page of a commit."""
        return f"{self.repository}/commit/{commit}" if self.repository else ""

    def dataset(self, path: str) -> DatasetRow | None:
        """The row of a path, or of the innermost folder around it that has one."""
        rows = [row for row in self.datasets if f"{path}/".startswith(f"{row.path}/")]
        return max(rows, key=lambda row: len(row.path), default=None)


def read(revision: Revision, name: str) -> Papers:
    """Read the papers of a commit.

    Args:
        revision: the commit.
        name: title of the project if the papers have none.

    Raises:
        ProjectError: one cannot be read, or none has the licence of the code.
    """
    pyproject = revision.text(project_settings.FILE)
    settings = project_settings.parse(pyproject)
    project = project_settings.read_toml(pyproject).get("project") or {}
    citation = _citation(revision)
    locks = [file for file in {settings.lock_file: PIP} | LOCK_FILES if file in revision.files]
    pins = (_dvc(revision.text(file)) for file in locks)
    pages = (README, settings.data_page, CITATION, settings.license_file)
    python = revision.text(".python-version").strip() or project.get("requires-python")
    return Papers(
        title=str(citation.get("title") or project.get("name") or name),
        description=str(citation.get("abstract") or project.get("description") or "").strip(),
        licence=_licence(citation.get("license") or project.get("license"), revision.commit),
        authors=[author for entry in citation.get("authors") or () if (author := _author(entry))],
        repository=str(citation.get("repository-code") or "").rstrip("/").removesuffix(".git"),
        datasets=list(data_page.rows(revision.text(settings.data_page), settings.data_page)),
        pages=[path for path in pages if path in revision.files],
        lock_files=locks,
        python=str(python or ""),
        dvc=next(filter(None, pins), ""),
    )


def _citation(revision: Revision) -> Mapping[str, Any]:
    try:
        citation = yaml.loaded(revision.text(CITATION)) or {}
    except yaml.NotYamlError as error:
        raise ProjectError(f"{CITATION}{error}") from None
    if not isinstance(citation, Mapping):
        raise ProjectError(f"{CITATION} does not begin with lines `name: value`.")
    return citation


def _licence(licence: Any, commit: str) -> str:
    """The licence of the code."""
    if isinstance(licence, list):
        return " OR ".join(map(str, licence))
    if not isinstance(licence, str):
        raise ProjectError(
            f"Neither {CITATION} nor {project_settings.FILE} of {commit[:12]} states the licence "
            f"of the code, which a crate needs. Add a line such as `license: MIT` to {CITATION}, "
            "and commit it."
        )
    return licence


def _author(entry: Mapping[str, Any]) -> Author | None:
    """An author by the schema of https://citation-file-format.github.io, 1.2.0."""

    def joined(*keys: str) -> str:
        return " ".join(str(entry[key]) for key in keys if entry.get(key))

    address = joined("orcid") or joined("website")
    if name := joined("name"):
        return Author(name, address=address)
    name = joined("given-names", "name-particle", "family-names", "name-suffix") or joined("alias")
    family = joined("name-particle", "family-names")
    author = Author(name, family, joined("given-names"), address, joined("affiliation"))
    return author if name else None


def _dvc(text: str) -> str:
    """The version of DVC in a lock file: `dvc==3.67.1`, or name and version on two lines."""
    match = re.search(
        r"^(?:\s*- )?dvc={1,2}(\d[\w.]*)|^name = \"dvc\"\nversion = \"([^\"]+)\"", text, re.M
    )
    return (match[1] or match[2]) if match else ""
