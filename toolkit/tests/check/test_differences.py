"""What is said of two contents that differ."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from dvc_bucket.jobs.check.causes import time_in
from dvc_bucket.jobs.check.differences import Limits, compare
from dvc_bucket.jobs.check.findings import Difference

Write = Callable[[Path], object]

TABLE = pa.table({"n": [1, 2, 3], "x": [0.5, None, float("nan")], "s": ["a", "b", "c"]})


def table(content: pa.Table, **options: str) -> Write:
    return lambda path: pq.write_table(content, path, **options)


def text(content: str | bytes) -> Write:
    raw = content.encode() if isinstance(content, str) else content
    return lambda path: path.write_bytes(raw)


def changed(column: str, values: list[object]) -> pa.Table:
    place = TABLE.schema.get_field_index(column)
    return TABLE.set_column(place, column, pa.array(values, TABLE.schema.field(column).type))


@pytest.fixture
def difference(tmp_path: Path) -> Callable[..., Difference]:
    def of(name: str, one: Write, other: Write, limits: Limits | None = None) -> Difference:
        files = [tmp_path / side / name for side in ("recorded", "found")]
        for file, write in zip(files, (one, other), strict=True):
            file.parent.mkdir()
            write(file)
        return compare(files[0], files[1], limits or Limits())

    return of


@pytest.mark.parametrize(
    ("name", "one", "other", "said"),
    [
        ("t.parquet", table(TABLE), table(changed("x", [0.5, 0.5, float("nan")])),
         "column x, row 2: nothing became 0.5; 1 of 3 rows differ"),
        ("t.parquet", table(TABLE), table(changed("s", ["a", "B", "C"])),
         "column s, row 2: b became B; 2 of 3 rows differ"),
        ("t.parquet", table(TABLE), table(TABLE.slice(0, 2)),
         "2 rows instead of 3; the first 2 are the same"),
        ("t.parquet", table(TABLE), table(TABLE.drop_columns(["n"])),
         "column n is missing"),
        ("t.parquet", table(TABLE), table(TABLE.select(["x", "n", "s"])),
         "the columns are in a different order"),
        ("t.parquet", table(TABLE), table(TABLE.set_column(0, "n", pa.array([1, 2, 3], "int32"))),
         "column n was int64 and is now int32"),
        ("t.parquet", table(TABLE), table(TABLE, compression="zstd"),
         "the same 3 rows, stored differently: row groups, encoding or compression"),
        ("t.csv", text("a,b\n1,x\n2,y\n"), text("a,b\n1,x\n2.5,y\n"),
         "column a, row 2: 2 became 2.5; 1 of 2 rows differ"),
        ("t.csv", text("a,a\n1,x\n"), text("a,a\n1,y\n"),
         "column a, row 1: x became y; 1 of 1 rows differ"),
        ("t.csv", text("a,b\n1,\n2,\n"), text("a,b\n1,\n2,x\n"),
         "column b, row 2: '' became x; 1 of 2 rows differ"),
        ("t.csv", text("a\né\n".encode("latin-1")), text("a\nè\n"),
         "column a, row 1: é became è; 1 of 1 rows differ"),
        ("t.csv", text("a\né\n".encode("latin-1")), text("a\né\n"),
         "the same 1 rows, different formatting: utf-8, was latin-1"),
        ("t.csv", text("a\n9223372036854775808\n"), text("a\n1.5\n"),
         "column a, row 1: 9223372036854775808 became 1.5; 1 of 1 rows differ"),
        ("t.csv", text("id\n007\n"), text("id\n7\n"),
         "column id, row 1: 007 became 7; 1 of 1 rows differ"),
        ("t.csv", text("a,b\n1,x\n"), text("a,b\n1.0,x\n"),
         "the same 1 rows, different formatting: digits, quotes or line ends"),
        ("m.json", text('{"a": {"b": 1.0}, "c": [1, 2]}'), text('{"a": {"b": 1.25}, "c": [1]}'),
         "a.b: 1.0 became 1.25 (by 0.25); c.1 is missing"),
        ("m.json", text('{"a": 1}'), text('{"a":1}'),
         "same values, different formatting: order of keys, blanks or digits"),
        ("m.yaml", text("a: 1\n"), text("a: two\n"), 'a: 1 became "two"'),
        ("m.json", text("{"), text("{}"),
         "2 bytes, were 1; byte 2 is the first that differs, in line 1: '{' became '{}'"),
        ("p.txt", text("one\ntwo\n"), text("one\ntoo\n"),
         "8 bytes; byte 6 is the first that differs, in line 2: 'two' became 'too'"),
        ("p.png", text(b"a\0b"), text(b"a\0cd"),
         "4 bytes, were 3; byte 3 is the first that differs"),
    ],
)  # fmt: skip
def test_a_difference_is_told_in_the_words_of_what_it_is(
    difference: Callable[..., Difference], name: str, one: Write, other: Write, said: str
) -> None:
    found = difference(name, one, other)
    assert found.text == said
    assert not found.tolerated


@pytest.mark.parametrize(
    ("limits", "tolerated"),
    [
        (Limits(absolute=0.01), True),
        (Limits(absolute=0.001), False),
        (Limits(relative=0.02), True),
        (Limits.model_validate({"columns": {"x": {"absolute": 0.01}}}), True),
        (Limits.model_validate({"absolute": 1, "columns": {"x": {"absolute": 0.001}}}), False),
    ],
)
def test_numbers_may_differ_as_far_as_is_declared(
    difference: Callable[..., Difference], limits: Limits, *, tolerated: bool
) -> None:
    near = changed("x", [0.505, None, float("nan")])
    found = difference("t.parquet", table(TABLE), table(near), limits)
    assert found.tolerated is tolerated
    assert (found.largest == pytest.approx(0.005)) is tolerated


@pytest.mark.parametrize(("distance", "tolerated"), [(1, True), (2, False)])
@pytest.mark.parametrize("name", ["t.feather", "t.csv"])
def test_integers_beyond_those_of_floating_point_may_differ_as_exactly_as_is_declared(
    difference: Callable[..., Difference], name: str, distance: int, *, tolerated: bool
) -> None:
    def write(number: int) -> Write:
        column = pa.table({"c": pa.array([number], pa.uint64())})
        return (
            text(f"c\n{number}\n")
            if name == "t.csv"
            else (lambda path: feather.write_feather(column, path))
        )

    limits = Limits(absolute=1.5)
    found = difference(name, write(2**63 + 1), write(2**63 + 1 + distance), limits)
    assert found.tolerated is tolerated
    assert found.largest == (1.0 if tolerated else None)


FAR = (pa.date32(), pa.date64(), pa.timestamp("s"), pa.struct([("at", pa.timestamp("s"))]))


@pytest.mark.parametrize("kind", FAR, ids=str)
def test_dates_that_python_does_not_have_are_compared_by_their_bytes(
    difference: Callable[..., Difference], kind: pa.DataType
) -> None:
    def write(number: int) -> Write:
        value = {"at": number} if pa.types.is_struct(kind) else number
        return lambda path: feather.write_feather(pa.table({"c": pa.array([value], kind)}), path)

    days = 2**30 if pa.types.is_date32(kind) else 2**60
    assert difference("t.feather", write(days), write(days - 1)).text


def test_one_name_twice_is_no_reason_to_say_nothing(
    difference: Callable[..., Difference],
) -> None:
    def write(number: int) -> Write:
        twice = pa.table([pa.array([1]), pa.array([number])], names=["a", "a"])
        return lambda path: feather.write_feather(twice, path)

    assert difference("t.feather", write(2), write(3)).text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("made 2026-03-01T12:00:30+00:00", "2026-03-01T12:00:30"),
        ("made 2026-03-01 17:45 in Kathmandu", "2026-03-01 17:45"),
        ("1772366430.25", "1772366430.25"),
        ("1772366430250", "1772366430250"),
        ("on 2026-03-01", "2026-03-01"),
        ("2013-01-01 05:15:00", None),
        ("2026-99-99 99:99", None),
        ("1500000000 flights", None),
    ],
)
def test_the_time_of_a_run_is_known_by_its_look(text: str, found: str | None) -> None:
    start = 1_772_366_400.0  # 2026-03-01 12:00:00 UTC
    assert time_in(text, start, start + 60) == found
