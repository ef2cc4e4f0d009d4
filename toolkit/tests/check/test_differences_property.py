"""Whatever two files hold, a comparison ends, and says where they differ, if they do."""

import csv
import datetime as dt
import io
import itertools
import json
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pyarrow import feather

from dvc_bucket.jobs.check.differences import Limits, compare
from dvc_bucket.jobs.check.findings import Difference

MOMENT = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)

#: Of each type of Arrow an array of small numbers, or None; another number is another value.
Make = Callable[[Sequence[int | None]], pa.Array]


def of(kind: pa.DataType, value: Callable[[int], Any] = lambda number: number) -> Make:
    return lambda numbers: pa.array([None if n is None else value(n) for n in numbers], kind)


def cast(make: Make, kind: pa.DataType) -> Make:
    return lambda numbers: make(numbers).cast(kind)


def extension(kind: pa.BaseExtensionType, value: Callable[[int], Any]) -> Make:
    return lambda numbers: pa.ExtensionArray.from_storage(
        kind, of(kind.storage_type, value)(numbers)
    )


def union(numbers: Sequence[int | None]) -> pa.Array:
    kinds = pa.array([(n or 0) % 2 for n in numbers], pa.int8())
    return pa.UnionArray.from_sparse(kinds, [of(pa.int64())(numbers), of(pa.utf8(), str)(numbers)])


def encoded(numbers: Sequence[int | None]) -> pa.Array:
    return pa.RunEndEncodedArray.from_arrays(
        pa.array(range(1, len(numbers) + 1), pa.int32()), of(pa.int64())(numbers)
    )


def not_a_number(number: int) -> float:
    return float("nan") if number == 0 else -0.0 if number == 1 else float(number - 2)


LISTS = (pa.list_, pa.large_list, pa.list_view, pa.large_list_view)
MAKES: dict[str, Make] = {
    "null": lambda numbers: pa.nulls(len(numbers)),
    "bool": of(pa.bool_(), lambda n: n % 2 == 1),
    **{str(kind): of(kind) for kind in (pa.int8(), pa.int16(), pa.int32(), pa.uint8())},
    "int64": of(pa.int64(), lambda n: 2**62 + n),
    "uint64": of(pa.uint64(), lambda n: 2**63 + n),
    "float16": of(pa.float16(), lambda n: np.float16(not_a_number(n))),
    "float": of(pa.float32(), not_a_number),
    "double": of(pa.float64(), not_a_number),
    **{str(kind): of(kind, lambda n: "ä" * 90 + str(n))
       for kind in (pa.string(), pa.large_string(), pa.string_view())},
    **{str(kind): of(kind, lambda n: b"\xff%d" % n)
       for kind in (pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(2))},
    "broken text": lambda numbers: of(pa.binary(), lambda n: b"\xff%d" % n)(numbers).view("utf8"),
    "date32": of(pa.date32(), lambda n: 2**30 + n),
    "date64": of(pa.date64(), lambda n: MOMENT.date() + dt.timedelta(n)),
    **{str(kind): of(kind) for kind in (pa.time32("s"), pa.time32("ms"), pa.time64("us"))},
    "time64[ns]": of(pa.time64("ns"), lambda n: n * 1000 + 1),
    **{f"far timestamp {unit}": of(pa.timestamp(unit), lambda n: 2**61 + n)
       for unit in ("s", "ms", "us", "ns")},
    "timestamp": of(pa.timestamp("us", "Asia/Kathmandu"), lambda n: MOMENT + dt.timedelta(n)),
    "duration": of(pa.duration("s"), lambda n: 2**60 + n),
    "interval": of(pa.month_day_nano_interval(), lambda n: (n, 2, 3)),
    **{str(kind): of(kind, lambda n: Decimal(n) / 4)
       for kind in (pa.decimal128(9, 2), pa.decimal256(60, 2), pa.decimal32(8, 2))},
    "dictionary": cast(of(pa.utf8(), str), pa.dictionary(pa.int8(), pa.utf8())),
    **{kind.__name__: of(kind(pa.float64()), lambda n: [not_a_number(n)] * (n % 3) + [float(n)])
       for kind in LISTS},
    "fixed list": of(pa.list_(pa.float32(), 2), lambda n: [0.5, not_a_number(n)]),
    "empty lists": of(pa.list_(pa.int8()), lambda n: [] if n % 2 else None),
    "struct": of(pa.struct([("at", pa.timestamp("s")), ("x", pa.list_(pa.float16()))]),
                 lambda n: {"at": 2**60, "x": [np.float16(not_a_number(n))]}),
    "empty struct": of(pa.struct([]), lambda n: {} if n % 2 else None),
    "map": of(pa.map_(pa.string(), pa.float64()), lambda n: [("k", not_a_number(n))]),
    "uuid": extension(pa.uuid(), lambda n: uuid.UUID(int=n).bytes),
    "bool8": extension(pa.bool8(), lambda n: n % 2),
    "json": extension(pa.json_(), str),
    "tensor": extension(pa.fixed_shape_tensor(pa.float32(), [2]), lambda n: [n, not_a_number(n)]),
    "opaque": extension(pa.opaque(pa.int16(), "type", "vendor"), lambda n: n),
    "union": union,
    "run ends": encoded,
}  # fmt: skip

NUMBERS = st.lists(st.none() | st.integers(0, 9), max_size=6)
FILES = itertools.count()

many = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def difference(
    folder: Path,
    name: str,
    contents: Sequence[Callable[[Path], object]],
    limits: Limits | None = None,
) -> Difference:
    files = [folder / f"{next(FILES)}-{name}" for _ in contents]
    for file, write in zip(files, contents, strict=True):
        write(file)
    found = compare(files[0], files[1], limits or Limits())
    assert found.text.encode()
    assert "\n" not in found.text
    for file in files:
        file.unlink()
    return found


def arrow(table: pa.Table, suffix: str) -> Callable[[Path], object]:
    if suffix == ".parquet":
        return lambda path: pq.write_table(table, path)
    return lambda path: feather.write_feather(table, path, compression="uncompressed")


#: Types of which two numbers can be one value.
FEW = {"null", "bool", "bool8", "empty lists", "empty struct"}


@pytest.mark.parametrize("kind", MAKES)
@many
@given(
    numbers=NUMBERS,
    others=NUMBERS,
    same=st.booleans(),
    suffix=st.sampled_from([".parquet", ".feather"]),
)
def test_columns_of_every_type(
    tmp_path: Path,
    kind: str,
    numbers: list[int | None],
    others: list[int | None],
    same: bool,
    suffix: str,
) -> None:
    others = numbers if same else others[: len(numbers)] + numbers[len(others) :]
    tables = [pa.table({"n": range(len(one)), "c": MAKES[kind](one)}) for one in (numbers, others)]
    try:
        found = difference(tmp_path, f"t{suffix}", [arrow(table, suffix) for table in tables])
    except pa.ArrowException:  # Parquet has no such type, or no such value
        found = difference(tmp_path, "t.feather", [arrow(table, ".feather") for table in tables])
    wrong = [row for row, pair in enumerate(zip(numbers, others, strict=True)) if len({*pair}) > 1]
    if not wrong:
        assert found.text.startswith(f"the same {len(numbers)} rows")
    elif kind not in FEW:
        assert found.text.startswith(f"column c, row {wrong[0] + 1}: ")
        assert found.text.endswith(f"; {len(wrong)} of {len(numbers)} rows differ")


#: Cells of CSV: numbers near 2^53 and beyond 64 bits, identifiers, text, nothing.
CELLS = st.sampled_from(
    ["", "0", "1", "1.0", "-0", "0.5", ".5", "007", "7", "é", 'a "b"', "x,y", "two\nlines", "NA",
     "nan", "1e999", "9007199254740992", "9007199254740993", "9223372036854775808", "9" * 400]
)  # fmt: skip
ENCODINGS = st.sampled_from(["utf-8", "latin-1", "utf-16", "utf-8-sig"])
TABLE = st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=4)
HEADER = st.sampled_from([["a", "b"], ["a", "a"], ["é", "b"], ["", ""]])
LIMITS = st.sampled_from([Limits(), Limits(absolute=1.0), Limits(relative=0.5)])


def lines(header: list[str], rows: list[list[str]], encoding: str) -> Callable[[Path], object]:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([header, *rows])
    return lambda path: path.write_bytes(text.getvalue().encode(encoding))


@many
@given(
    header=HEADER, one=TABLE, other=TABLE, encodings=st.tuples(ENCODINGS, ENCODINGS), limits=LIMITS
)
def test_csv_in_every_encoding(
    tmp_path: Path,
    header: list[str],
    one: list[list[str]],
    other: list[list[str]],
    encodings: tuple[str, str],
    limits: Limits,
) -> None:
    contents = [
        lines(header, rows, code) for rows, code in zip((one, other), encodings, strict=True)
    ]
    found = difference(tmp_path, "t.csv", contents, limits)
    if one == other:
        assert found.text.startswith(f"the same {len(one)} rows")
    elif len(one) != len(other):
        assert found.text.startswith(f"{len(other)} rows instead of {len(one)}; ")
    else:
        assert found.text.startswith(("column ", "the same ", "all within tolerance"))
        assert (
            found.text.startswith("column ")
            or limits != Limits()
            or _numbers(one) == _numbers(other)
        )


def _numbers(rows: list[list[str]]) -> list[list[Any]]:
    """Cells as Python's numbers, where these are as exact as the text."""
    known = {"1.0": 1, ".5": 0.5, "0.5": 0.5, "1": 1}
    return [[known.get(cell, cell) for cell in row] for row in rows]


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(10**400)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@many
@given(one=DOCUMENTS, other=DOCUMENTS, limits=LIMITS)
def test_documents(tmp_path: Path, one: Any, other: Any, limits: Limits) -> None:
    texts = [json.dumps(content) for content in (one, other)]
    contents = [lambda path, text=text: path.write_text(text) for text in texts]
    found = difference(tmp_path, "t.json", contents, limits)
    assert found.text.startswith("same values") == (texts[0] == texts[1])


ARRAYS = st.lists(st.floats(width=32), min_size=1, max_size=5)


def png(numbers: list[float]) -> Callable[[Path], object]:
    pixels = np.frombuffer(np.array(numbers, "f4").tobytes(), "u1").reshape(1, -1)
    return lambda path: Image.fromarray(pixels).save(path)


def npz(numbers: list[float]) -> Callable[[Path], object]:
    return lambda path: np.savez(path, x=np.array(numbers), y=np.arange(3))


def hdf5(numbers: list[float]) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with h5py.File(path, "w") as file:
            file["x"] = numbers

    return write


@pytest.mark.parametrize(("name", "write"), [("t.png", png), ("t.npz", npz), ("t.h5", hdf5)])
@many
@given(one=ARRAYS, other=ARRAYS)
def test_bytes(
    tmp_path: Path,
    name: str,
    write: Callable[[list[float]], Callable[[Path], object]],
    one: list[float],
    other: list[float],
) -> None:
    contents = []
    for number, numbers in enumerate((one, other)):
        file = tmp_path / f"{number}-{name}"
        write(numbers)(file)
        contents.append(file.read_bytes())
    raw = [lambda path, content=content: path.write_bytes(content) for content in contents]
    found = difference(tmp_path, name, raw)
    if contents[0] == contents[1]:
        assert found.text == "the same bytes"
    else:
        pairs = enumerate(itertools.zip_longest(*contents), start=1)
        place = next(place for place, (old, new) in pairs if old != new)
        assert f"byte {place:,} is the first that differs" in found.text
