"""The page about the data: its table of datasets, with their origins and licences.

It is a table in Markdown, as GitHub reads it, with columns for the dataset and its licence. Paths
in it are from the page's folder.
"""

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dvc_bucket.base import extras

#: Titles of the columns, each with its synonyms.
DATASET, ORIGIN, LICENCE = ("dataset",), ("origin", "source"), ("licence", "license")

#: What a page without a table gets.
NEW_TABLE = "## Datasets\n\n| dataset | origin | licence |\n| --- | --- | --- |\n"


@dataclass(frozen=True)
class DatasetRow:
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
class _Table:
    """A table of a page: its rows of cells as plain text, the head first, and its last line."""

    rows: Sequence[Sequence[str]]
    end: int

    def column(self, titles: Sequence[str]) -> int | None:
        """The number of the column that has one of these titles."""
        head = [cell.strip().lower() for cell in self.rows[0]]
        return next((head.index(title) for title in titles if title in head), None)

    @property
    def is_of_datasets(self) -> bool:
        return self.column(DATASET) is not None and self.column(LICENCE) is not None


def rows(text: str, page: str) -> Iterator[DatasetRow]:
    """The rows of all tables of datasets.

    Args:
        text: of the page.
        page: its path from the project's root.

    Raises:
        MissingExtraError: the package that reads Markdown is not installed.
    """
    folder = posixpath.dirname(page)
    for table in _tables(text):
        dataset, origin, licence = (table.column(it) for it in (DATASET, ORIGIN, LICENCE))
        if dataset is None or licence is None:
            continue
        for row in table.rows[1:]:
            if row[dataset] and row[licence]:
                path = posixpath.normpath(posixpath.join(folder, row[dataset]))
                yield DatasetRow(path, "" if origin is None else row[origin], row[licence])


def with_row(text: str, page: str, row: DatasetRow, *, is_folder: bool = False) -> str:
    """The text of the page with one more row, below the others of its table.

    A page without such a table gets one at its end.

    Args:
        text: of the page; may be empty.
        page: its path from the project's root.
        row: the new one.
        is_folder: the dataset is a folder, which has a slash at its end there.

    Raises:
        MissingExtraError: the package that reads Markdown is not installed.
    """
    table = next((one for one in _tables(text) if one.is_of_datasets), None)
    if table is None:
        title = "" if text.strip() else "# The data\n\n"
        text = f"{text.rstrip()}\n\n{NEW_TABLE}" if text.strip() else title + NEW_TABLE
        table = next(one for one in _tables(text) if one.is_of_datasets)
    path = posixpath.relpath(row.path, posixpath.dirname(page) or ".")
    cells = [""] * len(table.rows[0])
    values = {
        DATASET: f"`{path}{'/' if is_folder else ''}`",
        ORIGIN: _cell(row.origin),
        LICENCE: _cell(row.licence),
    }
    for titles, value in values.items():
        if (column := table.column(titles)) is not None:
            cells[column] = value
    lines = text.splitlines(keepends=True)
    if not lines[table.end - 1].endswith("\n"):
        lines[table.end - 1] += "\n"
    lines.insert(table.end, f"| {' | '.join(cells)} |\n")
    return "".join(lines)


def _cell(text: str) -> str:
    """A text in a cell, where a line is a blank, and a bar not the end."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|")


def _tables(page: str) -> Iterator[_Table]:
    with extras.needed("crate"):
        from markdown_it import MarkdownIt

    rows: list[list[str]] = []
    end = 0
    for token in MarkdownIt("commonmark").enable("table").parse(page):
        if token.type == "table_open":
            rows, end = [], (token.map or [0, 0])[1]
        elif token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows:
            rows[-1].append("".join(child.content for child in token.children or ()))
        elif token.type == "table_close":
            yield _Table(rows, end)
            rows = []
