"""Whatever a table holds, each way to read it gives the same columns and rows."""

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import obstore
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
from hypothesis import HealthCheck, example, given, note, settings
from pyarrow import fs as filesystems

from dvc_bucket import Project, Settings, Table
from dvc_bucket.dvc.remote import Remote, ids
from dvc_bucket.read.dataset import opened
from dvc_bucket.read.proof import Proof
from dvc_bucket.read.sources import Source, on_remote
from dvc_bucket.read.tracked import TrackedData, TrackedFile
from tests.reading.generated_tables import Generated, content_of, generated, rows


def in_workspace(root: Path, files: Mapping[str, bytes]) -> Source:
    """The files on this disk."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    located = [(f"table/{name}", str(root / name), None) for name in sorted(files)]
    return Source(filesystems.LocalFileSystem(), located, "table")


def pushed(project: Project, files: Mapping[str, bytes]) -> TrackedData:
    """The files as DVC records them, on the remote."""
    remote = Remote("storage", Settings.load(project), "generated")
    tracked = []
    for name, content in sorted(files.items()):
        md5 = ids.encode(hashlib.md5(content, usedforsecurity=False).hexdigest())
        obstore.put(remote.store, remote.key(md5), content)
        tracked.append(TrackedFile(f"table/{name}", md5, len(content)))
    return TrackedData("table", None, None, tracked, remote, Path("/nonexistent"), project)


def check(table: Table, expected: pa.Table, more: str | None) -> None:
    """Each way to read a table gives these rows."""
    read = table.to_table()
    assert table.schema.equals(read.schema)
    assert read.schema.equals(expected.schema)
    assert rows(read) == rows(expected)
    assert rows(pa.Table.from_batches(table.to_batches(batch_size=2), table.schema)) == rows(read)
    assert rows(table.scanner().to_table()) == rows(read)
    assert table.count_rows() == len(read)
    assert rows(table.head(3)) == rows(read.slice(0, 3))
    assert table.to_pandas().equals(read.to_pandas())
    assert rows(table.scan().collect()) == rows(read)
    assert sorted(map(repr, rows(table.to_duckdb()))) == sorted(map(repr, rows(read)))
    last = read.schema.names[-1:]
    assert rows(table.select(last).to_table()) == rows(read.select(last))
    if more:
        narrower, few = ds.field(more) > 0, read.filter(ds.field(more) > 0)
        assert rows(table.filter(narrower).to_table()) == rows(few)
        assert rows(table.to_table(filter=narrower)) == rows(few)
        assert len(table.to_duckdb().filter(f"{more} > 0")) == len(few)
        for predicate in predicates(more):
            frame = table.scan().filter(predicate).collect()
            assert rows(frame) == rows(table.scan().collect().filter(predicate))


def predicates(name: str) -> Iterator[pl.Expr]:
    """Conditions on a column of numbers; polars and Arrow differ about NaN and nulls."""
    column = pl.col(name)
    yield from (column > 0, column != 0, column <= 1, ~(column < 0), column.is_null())
    yield column.ne_missing(1)
    if name.startswith("int"):
        yield from (column.is_in([0, 1, None]), ~column.is_in([0, 1]))


SETTINGS: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}


def with_nan(more: str) -> Generated:
    """Rows that no draw may miss, as Arrow takes others than polars."""
    values = pa.table({"float64": [1.0, math.nan, None, -1.0], "int64": [1, 2, None, 0]})
    return Generated({"0.parquet": content_of(values, "parquet")}, values, None, None, more)


@settings(max_examples=12, **SETTINGS)
@example(with_nan("float64"))
@example(with_nan("int64"))
@given(made=generated())
def test_every_way_to_read_gives_the_same(store: Project, tmp_path: Path, made: Generated) -> None:
    check_everywhere(store, tmp_path, made)


def check_everywhere(store: Project, folder: Path, made: Generated) -> None:
    """The same from this disk, and from the remote by ranges and whole."""
    note(f"{made.whole.to_pydict()} {made.columns} {made.rows} {list(made.files)}")
    ranges = on_remote(Proof(pushed(store, made.files)))
    sources = {
        "workspace": in_workspace(folder / uuid4().hex, made.files),
        "remote": ranges,
        "remote, whole": replace(ranges, is_whole=True),
    }
    for place, source in sources.items():
        note(place)
        check(opened(source, "table", made.columns, made.rows), made.wanted, made.more)
