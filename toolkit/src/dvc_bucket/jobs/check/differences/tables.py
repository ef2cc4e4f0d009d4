"""Tables: the first differing column and row, and how many rows differ."""

from pathlib import Path
from typing import TYPE_CHECKING

from dvc_bucket.jobs.check.differences.tolerance import EXACT, Limit, Limits
from dvc_bucket.jobs.check.findings import Difference

if TYPE_CHECKING:
    from pyarrow import ChunkedArray as Column
    from pyarrow import DataType
    from pyarrow.dataset import Dataset

#: Text, whose types are read off the values, by the end of a file's name, with its delimiter.
DELIMITERS = {".csv": ",", ".tsv": "\t"}

#: Ends of names of all files that are read as tables.
ENDS = {*DELIMITERS, ".parquet", ".feather", ".arrow"}

#: How many differing values are kept for a closer look.
MAX_PAIRS = 20

#: How long a value is that is shown whole.
MAX_VALUE_LENGTH = 60


def compare(recorded: Path, found: Path, limits: Limits) -> Difference | None:
    """How the tables differ; None if one cannot be read as such."""
    import pyarrow as pa

    is_text = recorded.suffix in DELIMITERS
    try:
        before, after = _read(recorded), _read(found)
        names, new_names = before.schema.names, after.schema.names
        if names != new_names:
            return Difference(_other_columns(names, new_names))
        for name in [] if is_text else names:
            types = before.schema.field(name).type, after.schema.field(name).type
            if types[0] != types[1]:
                return Difference(f"column {name} was {types[0]} and is {types[1]}")
        difference = _compare_values(before, after, limits)
    except (OSError, ValueError, LookupError, ArithmeticError, pa.ArrowException):
        return None  # one name twice; dates and times that Python does not have
    if difference:
        return difference
    text = f"the same {before.count_rows():,} rows, {_other_file(recorded, found, before, after)}"
    return Difference(text, tolerated=limits != EXACT)


def _read(file: Path) -> "Dataset":
    """A table. Of Parquet one column at a time is in memory."""
    from pyarrow import csv, dataset, feather

    if file.suffix == ".parquet":
        return dataset.dataset(file, format="parquet")
    if file.suffix in DELIMITERS:
        options = csv.ParseOptions(delimiter=DELIMITERS[file.suffix], newlines_in_values=True)
        return dataset.dataset(csv.read_csv(file, parse_options=options))
    return dataset.dataset(feather.read_table(file))


def _compare_values(before: "Dataset", after: "Dataset", limits: Limits) -> Difference | None:
    """How values differ, and numbers of rows; None if they do not."""
    import pyarrow.compute as pc

    counts = before.count_rows(), after.count_rows()
    rows = min(counts)
    wrong, text, pairs, largest = None, "", [], 0.0
    for name in before.schema.names:
        columns = (side.to_table(columns=[name]).column(0) for side in (before, after))
        old, new = _alike(*(column.slice(0, rows) for column in columns))
        differs, passed = _differing(old, new, limits.of(name))
        largest = max(largest, passed)
        if not pc.any(differs).as_py():
            continue
        wrong = differs if wrong is None else pc.or_(wrong, differs)
        rows_of = pc.indices_nonzero(differs)[:MAX_PAIRS].to_pylist()
        shown = [(_shown(old[row].as_py()), _shown(new[row].as_py())) for row in rows_of]
        pairs += shown
        text = text or f"column {name}, row {rows_of[0] + 1:,}: {' became '.join(shown[0])}"
    if counts[0] != counts[1]:
        where = f"first: {text}" if text else f"the first {rows:,} are the same"
        text = f"{counts[1]:,} rows instead of {counts[0]:,}; {where}"
        return Difference(text, pairs=tuple(pairs))
    if wrong is not None:
        count = pc.sum(wrong).as_py()
        return Difference(f"{text}; {count:,} of {rows:,} rows differ", pairs=tuple(pairs))
    return Difference("all within tolerance", largest, tolerated=True) if largest else None


def _alike(old: "Column", new: "Column") -> "tuple[Column, Column]":
    """Two columns of one type: where CSV has whole numbers and others, or numbers and text."""
    import pyarrow as pa

    if pa.types.is_dictionary(old.type):
        old, new = old.cast(old.type.value_type), new.cast(new.type.value_type)
    if old.type == new.type:
        return old, new
    common = pa.float64() if _is_number(old.type) and _is_number(new.type) else pa.string()
    return old.cast(common), new.cast(common)


def _differing(old: "Column", new: "Column", limit: Limit) -> "tuple[Column, float]":
    """Where values differ by more than the limit; and the largest difference that it let pass."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_nested(old.type):
        pairs = zip(old.to_pylist(), new.to_pylist(), strict=True)
        return pa.chunked_array([[a != b for a, b in pairs]], pa.bool_()), 0.0
    nulls = pc.xor(old.is_null(), new.is_null())
    differs = pc.fill_null(pc.not_equal(old, new), False)
    if pa.types.is_floating(old.type):
        nans = pc.and_(*(pc.fill_null(pc.is_nan(values), False) for values in (old, new)))
        differs = pc.and_not(differs, nans)
    largest = 0.0
    if not limit.is_exact and _is_number(old.type):
        before, after = old.cast(pa.float64()), new.cast(pa.float64())
        away = pc.fill_null(pc.abs(pc.subtract(after, before)), 0.0)
        allowed = pc.add(limit.absolute, pc.multiply(limit.relative, pc.abs(before)))
        near = pc.fill_null(pc.less_equal(away, allowed), False)
        largest = pc.max(pc.if_else(pc.and_(differs, near), away, 0.0)).as_py() or 0.0
        differs = pc.and_not(differs, near)
    return pc.or_(nulls, differs), largest


def _is_number(kind: "DataType") -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _shown(value: object) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[: MAX_VALUE_LENGTH - 3]}..."


def _other_columns(before: list[str], after: list[str]) -> str:
    lost = [f"column {name} is not there any more" for name in before if name not in after]
    new = [f"column {name} is new" for name in after if name not in before]
    return "; ".join([*lost[:1], *new[:1]]) or "the columns are in another order"


def _other_file(recorded: Path, found: Path, before: "Dataset", after: "Dataset") -> str:
    """How two files with the same values differ."""
    from pyarrow import parquet

    if recorded.suffix in DELIMITERS:
        return "different formatting: digits, quotes or line ends"
    if recorded.suffix == found.suffix == ".parquet":
        writers = [parquet.read_metadata(file).created_by for file in (recorded, found)]
        if writers[0] != writers[1]:
            return f"stored differently: written by {writers[1]}, was {writers[0]}"
    if not before.schema.equals(after.schema, check_metadata=True):
        return "stored differently: other metadata"
    return "stored differently: row groups, encoding or compression"
