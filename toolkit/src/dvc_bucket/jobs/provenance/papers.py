"""What the papers of a commit say: who wrote it, under which licences, in which environment.

Whatever they do not say is left out.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dvc_bucket.base import extras, project_settings
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.dvc.commit import yaml
from dvc_bucket.dvc.commit.revision import Revision

README, CITATION = "README.md", "CITATION.cff"

#: Heads of the columns of the table of datasets.
DATASET, ORIGIN, LICENCE = ("dataset",), ("origin", "source"), ("licence", "license")

#: Files that pin an environment: the tool that reads them, and where their format is told.
PIP = ("pip", "https://pip.pypa.io/en/stable/reference/requirements-file-format/")
LOCK_FILES = {
    "uv.lock": ("uv", "https://docs.astral.sh/uv/concepts/projects/layout/"),
    "poetry.lock": ("Poetry", "https://python-poetry.org/docs/basic-usage/"),
    "pdm.lock": ("PDM", "https://pdm-project.org/latest/usage/lockfile/"),
    "pixi.lock": ("pixi", "https://pixi.sh/latest/workspace/lockfile/"),
    "conda-lock.yml": ("conda-lock", "https://conda.github.io/conda-lock/"),
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
        given_name: empty for a group, or where none is said.
        address: ORCID of a person, web page of either; may be empty.
        affiliation: name of an organisation; may be empty.
    """

    name: str
    family_name: str = ""
    given_name: str = ""
    address: str = ""
    affiliation: str = ""


@dataclass(frozen=True)
class Dataset:
    """A row of the table of datasets.

    Attributes:
        path: from the project's root.
        origin: where it is from, in words.
        licence: its SPDX name, an address, or words.
    """

    path: str
    origin: str
    licence: str


@dataclass(frozen=True)
class Papers:
    """What the papers say.

    Attributes:
        title: of the project.
        description: of it; may be empty.
        licence: of the code.
        authors: in the order of the citation.
        repository: address of the code; may be empty.
        datasets: of the data that has a row in the table.
        pages: files that say to a person what the project is.
        lock_files: those that pin the environment.
        python: the Python that it asks for, as `>=3.11`; may be empty.
        dvc: the version of DVC that is pinned; may be empty.
    """

    title: str
    description: str
    licence: str
    authors: Sequence[Author]
    repository: str
    datasets: Sequence[Dataset]
    pages: Sequence[str]
    lock_files: Sequence[str]
    python: str
    dvc: str

    def dataset(self, path: str) -> Dataset | None:
        """The row for a path, or for the folder that it is in."""
        found = [row for row in self.datasets if f"{path}/".startswith(f"{row.path}/")]
        return max(found, key=lambda row: len(row.path), default=None)


def of(revision: Revision, name: str) -> Papers:
    """What the papers of a revision say.

    Args:
        revision: the commit.
        name: of the project where neither citation nor pyproject.toml has one.

    Raises:
        ProjectError: one cannot be read, or none says the licence of the code.
    """
    pyproject = revision.text(project_settings.FILE)
    settings = project_settings.parse(pyproject)
    citation = yaml.mapping(revision.text(CITATION), CITATION)
    project = project_settings.read_toml(pyproject).get("project") or {}
    licence = citation.get("license") or project.get("license")
    if isinstance(licence, list):
        licence = " OR ".join(map(str, licence))
    if not isinstance(licence, str):
        raise ProjectError(
            f"Neither {CITATION} nor {project_settings.FILE} of {revision.commit[:12]} says the "
            "licence of the code, which a crate has to. Add a line `license: MIT`, say, to "
            f"{CITATION}; commit it."
        )
    locks = [file for file in {settings.lock_file: PIP} | LOCK_FILES if file in revision.files]
    pages = (README, settings.data_page, CITATION, settings.license_file)
    return Papers(
        title=str(citation.get("title") or project.get("name") or name),
        description=str(citation.get("abstract") or project.get("description") or "").strip(),
        licence=licence,
        authors=list(_authors(citation)),
        repository=str(citation.get("repository-code") or "").rstrip("/").removesuffix(".git"),
        datasets=list(_datasets(revision.text(settings.data_page), settings.data_page)),
        pages=[path for path in pages if path in revision.files],
        lock_files=locks,
        python=_python(revision, project),
        dvc=next((found for file in locks if (found := _dvc(revision.text(file)))), ""),
    )


def _authors(citation: Mapping[str, Any]) -> Iterator[Author]:
    """Those of a CITATION.cff, by the schema of https://citation-file-format.github.io, 1.2.0."""
    for said in citation.get("authors") or ():
        address = str(said.get("orcid") or said.get("website") or "")
        affiliation = str(said.get("affiliation") or "")
        if name := said.get("name"):
            yield Author(str(name), address=address)
            continue
        given = str(said.get("given-names") or "")
        particle, suffix = str(said.get("name-particle") or ""), str(said.get("name-suffix") or "")
        family = " ".join(filter(None, (particle, str(said.get("family-names") or ""))))
        whole = " ".join(filter(None, (given, family, suffix))) or str(said.get("alias") or "")
        if whole:
            yield Author(whole, family, given, address, affiliation)


def _datasets(text: str, page: str) -> Iterator[Dataset]:
    """Rows of the table whose head has a dataset and a licence, in the text of a page."""
    folder = posixpath.dirname(page)
    for head, *rows in _tables(text):
        columns = [_column(head, names) for names in (DATASET, ORIGIN, LICENCE)]
        if columns[0] is None or columns[2] is None:
            continue
        for row in rows:
            path, origin, licence = ("" if at is None else row[at] for at in columns)
            if path and licence:
                yield Dataset(posixpath.normpath(posixpath.join(folder, path)), origin, licence)


def _tables(page: str) -> Iterator[list[list[str]]]:
    """The tables of a page in Markdown: rows of cells as plain text, the head first."""
    with extras.needed("crate"):
        from markdown_it import MarkdownIt

    rows: list[list[str]] = []
    for token in MarkdownIt("commonmark").enable("table").parse(page):
        if token.type == "table_open":
            rows = []
        elif token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows:
            rows[-1].append("".join(child.content for child in token.children or ()))
        elif token.type == "table_close":
            yield rows
            rows = []


def _column(head: Sequence[str], names: Sequence[str]) -> int | None:
    """Which column has one of these names."""
    cells = [cell.strip().lower() for cell in head]
    return next((cells.index(name) for name in names if name in cells), None)


def _python(revision: Revision, project: Mapping[str, Any]) -> str:
    """The version of Python that the commit asks for."""
    pinned = revision.text(".python-version").strip()
    return pinned or str(project.get("requires-python") or "")


def _dvc(text: str) -> str:
    """The version of DVC in a lock file: `dvc==3.67.1`, or name and version on two lines."""
    found = re.search(
        r"^(?:\s*- )?dvc={1,2}(\d[\w.]*)|^name = \"dvc\"\nversion = \"([^\"]+)\"", text, re.M
    )
    return (found[1] or found[2]) if found else ""
