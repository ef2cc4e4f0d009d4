"""Readers of the answer from files: those that several ways of `access_ways.py` share."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from access_questions import Question

#: Reads when it is called; its result has a length.
Reader = Callable[[], Any]


def unpacked(question: Question, bodies: Iterable[bytes]) -> Any:
    """The answer from files that are in memory: tables of one kind, or what they are."""
    if question.name.startswith("images"):
        return list(bodies)
    import pyarrow as pa
    from pyarrow import parquet

    return pa.concat_tables(
        parquet.read_table(
            pa.BufferReader(body), columns=question.columns, filters=question.expression()
        )
        for body in bodies
    )


def by_pandas(question: Question, place: str, options: dict[str, Any] | None = None) -> Reader:
    """With pandas, from a folder or an address."""
    import pandas as pd

    if question.name == "images":
        return by_bytes(Path(place))
    if question.is_packed:
        return lambda: unpacked(question, pd.read_parquet(place, storage_options=options)["data"])
    columns = list(question.columns) if question.columns else None
    return lambda: pd.read_parquet(
        place, columns=columns, filters=question.filters(), storage_options=options
    )


def by_bytes(folder: Path) -> Reader:
    """The content of each file of a folder."""
    return lambda: [path.read_bytes() for path in sorted(folder.iterdir())]


def by_arrow(question: Question, place: Path, *, is_plain: bool = False) -> Reader:
    """With pyarrow: with the allocator of `open_dataset`, or with its own."""
    import pyarrow as pa
    import pyarrow.dataset as ds

    pool = None if is_plain else pa.system_memory_pool()

    if question.name == "images":
        return by_bytes(place)
    if question.is_packed:
        return lambda: unpacked(question, ds.dataset(place).to_table()["data"].to_pylist())
    rows, columns = question.expression(), question.columns
    return lambda: ds.dataset(place).to_table(
        columns=list(columns) if columns else None, filter=rows, memory_pool=pool
    )
