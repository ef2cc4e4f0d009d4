import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dvc_bucket.stages import (
    StageError,
    complete_or_absent,
    conform,
    read_json,
    read_parquet,
    write_csv,
    write_json,
    write_parquet,
    write_text,
)

SCHEMA = pa.schema([("n", pa.int16()), ("name", pa.string()), ("at", pa.timestamp("ms", tz="UTC"))])
AT = pd.Timestamp("2013-01-01T10:15Z")
TABLE = pd.DataFrame({"n": [1, 2, 3], "name": ["a", None, "b"], "at": AT})


def with_attributes(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.copy()
    frame.attrs["made by"] = "somebody"
    return frame


def test_a_tables_bytes_depend_on_its_content_alone(tmp_path: Path) -> None:
    same = [
        TABLE,
        TABLE.set_axis([7, 8, 9]),
        TABLE.set_axis(pd.Index(["x", "y", "z"], name="row")),
        TABLE[["at", "n", "name"]].assign(more=0.5),
        TABLE.astype({"n": "int64"}),
        TABLE.astype({"n": "Int16"}),
        TABLE.astype({"n": "float64"}),
        TABLE.astype({"name": "object"}),
        TABLE.astype({"name": "category"}),
        TABLE.assign(at=TABLE["at"].dt.as_unit("ns")),
        with_attributes(TABLE),
        pd.concat([TABLE[:1], TABLE[1:]]),
    ]
    for number, frame in enumerate(same):
        write_parquet(frame, SCHEMA, tmp_path / f"{number}.parquet")
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    assert pq.read_schema(tmp_path / "0.parquet").equals(SCHEMA, check_metadata=True)
    pd.testing.assert_frame_equal(read_parquet(tmp_path / "0.parquet"), TABLE, check_dtype=False)


@pytest.mark.parametrize(
    "frame",
    [
        TABLE.drop(columns="name"),
        TABLE.assign(n="one"),
        TABLE.assign(n=1.5),
        TABLE.assign(n=40_000),
        TABLE.assign(n=AT),
        TABLE.assign(name=1),
        TABLE.assign(at="soon"),
        TABLE.assign(at=0.5),
    ],
)
def test_a_table_that_does_not_fit_its_schema_is_refused(
    tmp_path: Path, frame: pd.DataFrame
) -> None:
    with pytest.raises(StageError, match=r"t\.parquet: the table does not fit its schema"):
        write_parquet(frame, SCHEMA, tmp_path / "t.parquet")
    assert not list(tmp_path.iterdir())


def test_rows_are_sorted_and_columns_chosen() -> None:
    mixed = TABLE.iloc[[2, 0, 1]].assign(more=1)[["more", "at", "name", "n"]]
    pd.testing.assert_frame_equal(conform(mixed, SCHEMA, ["n"]), TABLE)


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path: Path) -> None:
    for number in (3, 1, 2):
        rows = TABLE[TABLE["n"] == number]
        write_parquet(rows, SCHEMA, tmp_path / "t" / f"{number}.parquet")
    assert read_parquet(tmp_path / "t")["n"].tolist() == [1, 2, 3]
    assert read_parquet(tmp_path / "t", ["name"]).columns.tolist() == ["name"]
    categories = read_parquet(tmp_path / "t", categories=["name"])["name"]
    assert categories.dtype == "category"
    assert categories.tolist()[::2] == ["a", "b"]


def test_what_cannot_be_read_as_parquet_is_named(tmp_path: Path) -> None:
    good, bad, mixed = tmp_path / "good.parquet", tmp_path / "bad.parquet", tmp_path / "mixed"
    write_parquet(TABLE, SCHEMA, good)
    bad.write_bytes(good.read_bytes()[:-20])
    write_parquet(TABLE, SCHEMA, mixed / "1.parquet")
    (mixed / "2.parquet").write_text("garbage")
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "none.parquet", tmp_path / "empty", bad, mixed):
        with pytest.raises(StageError, match=str(path)):
            read_parquet(path)
    with pytest.raises(StageError, match="absent"):
        read_parquet(good, ["absent"])


def test_files_of_different_tables_in_one_folder_are_named(tmp_path: Path) -> None:
    write_parquet(TABLE, SCHEMA, tmp_path / "1.parquet")
    write_parquet(TABLE, pa.schema([("n", pa.int64())]), tmp_path / "2.parquet")
    with pytest.raises(StageError, match=str(tmp_path)):
        read_parquet(tmp_path)


def test_json_has_sorted_keys_rounded_floats_and_one_line_end(tmp_path: Path) -> None:
    path = tmp_path / "new" / "t.json"
    write_json({"b": [1 / 3, (2, 0.1 + 0.2)], "a": {"z": True, "y": "é"}}, path)
    assert read_json(path) == {"a": {"y": "é", "z": True}, "b": [0.333333, [2, 0.3]]}
    text = path.read_bytes().decode()
    assert text.index('"a"') < text.index('"y"') < text.index('"z"') < text.index('"b"')
    assert text.endswith("}\n")
    assert "\r" not in text


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_json_that_would_not_be_json_is_refused(tmp_path: Path, number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json({"a": number}, tmp_path / "t.json")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [None, b"", b'{"a": ', b"\xff\xfe"])
def test_what_cannot_be_read_as_json_is_named(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "t.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StageError, match=r"t\.json: cannot be read as JSON"):
        read_json(path)


def test_csv_has_rounded_floats_and_line_feeds(tmp_path: Path) -> None:
    write_csv(pd.DataFrame({"x": [1 / 3, 2], "y": ["a", "b"]}), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == b"x,y\n0.333333,a\n2.0,b\n"


class InterruptionError(Exception):
    """What a block under test raises."""


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_an_interrupted_write_leaves_the_old_content_and_no_temporary(
    tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "out"

    def write(text: str, *, interrupted: bool = False) -> None:
        with complete_or_absent(path) as temporary:
            target = temporary / "part" if kind == "folder" else temporary
            write_text(text, target)
            if interrupted:
                raise InterruptionError

    def content() -> str:
        return (path / "part" if kind == "folder" else path).read_text()

    with pytest.raises(InterruptionError):
        write("first", interrupted=True)
    assert not list(tmp_path.iterdir())
    write("old")
    with pytest.raises(InterruptionError):
        write("new", interrupted=True)
    assert content() == "old"
    write("new")
    assert content() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_written_anew_keeps_nothing_of_the_old(tmp_path: Path) -> None:
    for name in ("1", "2"):
        with complete_or_absent(tmp_path / "out") as folder:
            write_text(json.dumps(name), folder / name)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["2"]


def test_a_write_never_changes_what_a_link_of_the_old_file_leads_to(tmp_path: Path) -> None:
    cached, path = tmp_path / "cached", tmp_path / "out"
    cached.write_text("old")
    for link in (path.hardlink_to, path.symlink_to):
        path.unlink(missing_ok=True)
        link(cached)
        write_text("new", path)
        assert (cached.read_text(), path.read_text()) == ("old", "new")
