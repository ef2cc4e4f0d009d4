"""Two columns of one Arrow type, value by value, whatever the type."""

from typing import TYPE_CHECKING, Any

from dvc_bucket.jobs.check.differences.tolerance import Limit

if TYPE_CHECKING:
    from pyarrow import Array, BooleanArray, DataType

#: Columns of integers as wide as a date, a time or a floating-point number, by its bits.
INTEGERS = {16: "int16", 32: "int32", 64: "int64"}


def differing(old: "Array", new: "Array") -> "BooleanArray":
    """Where the values differ. NaN is NaN; 0.0 is not -0.0.

    Args:
        old: of one type with `new`.
        new: as long as `old`.

    Raises:
        ArrowException: Arrow or Python cannot have such a value.
        ValueError: the same.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = old.type
    if pa.types.is_null(kind):
        return pa.array([False] * len(old), pa.bool_())
    if isinstance(kind, pa.BaseExtensionType):
        return differing(old.storage, new.storage)
    if pa.types.is_dictionary(kind):
        return differing(old.dictionary_decode(), new.dictionary_decode())
    if pa.types.is_run_end_encoded(kind):
        return differing(pc.run_end_decode(old), pc.run_end_decode(new))
    nulls = pc.xor(old.is_null(), new.is_null())
    if pa.types.is_struct(kind):
        for fields in zip(old.flatten(), new.flatten(), strict=True):
            nulls = pc.or_(nulls, differing(*fields))
        return nulls
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return pc.or_(nulls, _lists_differ(old, new))
    try:
        differs = pc.not_equal(_bits(old), _bits(new))
    except pa.ArrowNotImplementedError:  # no kernel for this type
        pairs = zip(old.to_pylist(), new.to_pylist(), strict=True)
        return pa.array([not _same(*pair) for pair in pairs], pa.bool_())
    if pa.types.is_floating(kind):
        nans = (pc.is_nan(_wide(values)) for values in (old, new))
        differs = pc.and_not(differs, pc.and_(*nans))
    return pc.or_(nulls, pc.fill_null(differs, False))


def beyond(
    old: "Array", new: "Array", differs: "BooleanArray", limit: Limit
) -> "tuple[BooleanArray, float]":
    """Where numbers differ by more than a limit, and the largest difference that it let pass.

    Args:
        old: of one type with `new`; anything else than numbers has no limit.
        new: as long as `old`.
        differs: where they differ at all.
        limit: how far numbers may be apart.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = old.type
    if limit.is_exact or not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return differs, 0.0
    if pa.types.is_integer(kind):
        # Python's are exact beyond 2^53, too.
        values = (column.to_pylist() for column in (differs, old, new))
        distances = [
            _distance(old, new, limit) if is_other else None
            for is_other, old, new in zip(*values, strict=True)
        ]
        away = pa.array(distances, pa.float64())
    else:
        before, after = _wide(old), _wide(new)
        away = pc.abs(pc.subtract(after, before))
        allowed = pc.add(limit.absolute, pc.multiply(limit.relative, pc.abs(before)))
        near = pc.and_(differs, pc.fill_null(pc.less_equal(away, allowed), False))
        away = pc.if_else(near, away, pa.scalar(None, pa.float64()))
    return pc.and_not(differs, away.is_valid()), pc.max(away).as_py() or 0.0


def value(column: "Array", row: int) -> object:
    """A value to be shown: Python's, or if Python has no such value its bytes or Arrow's text."""
    import pyarrow as pa

    try:
        return column[row].as_py()
    except UnicodeDecodeError:
        return column[row].as_buffer().to_pybytes()
    except (ValueError, ArithmeticError, pa.ArrowException):  # a date beyond Python's
        return " ".join(column.slice(row, 1).to_string().split()).strip("[] ")


def _distance(old: int | None, new: int | None, limit: Limit) -> float | None:
    """How far two integers are apart, if that is allowed."""
    if old is None or new is None or not limit.allows(old, new):
        return None
    return float(abs(new - old))


def _lists_differ(old: "Array", new: "Array") -> "BooleanArray":
    """Which lists have other lengths or, of the same length, other values."""
    import pyarrow as pa
    import pyarrow.compute as pc

    is_there = pc.and_(old.is_valid(), new.is_valid())
    lengths = (pc.list_value_length(lists) for lists in (old, new))
    is_as_long = pc.and_(is_there, pc.fill_null(pc.equal(*lengths), False))
    rows = pc.indices_nonzero(is_as_long)
    olds, news = old.take(rows), new.take(rows)
    others = differing(pc.list_flatten(olds), pc.list_flatten(news))
    wrong = rows.take(pc.unique(pc.list_parent_indices(olds).filter(others)))
    is_wrong = pc.is_in(pa.array(range(len(old)), rows.type), value_set=wrong)
    return pc.or_(pc.and_not(is_there, is_as_long), is_wrong)


def _bits(values: "Array") -> "Array":
    """Numbers and times as the integers that are stored: of each of them there is one."""
    import pyarrow as pa

    kind = values.type
    if pa.types.is_floating(kind) or (pa.types.is_temporal(kind) and not _is_interval(kind)):
        return values.view(INTEGERS[kind.bit_width])
    return values


def _is_interval(kind: "DataType") -> bool:
    import pyarrow as pa

    return bool(pa.types.is_interval(kind))


def _wide(values: "Array") -> "Array":
    """Floating-point numbers as those of 64 bits, which have all their values."""
    import numpy as np
    import pyarrow as pa

    if not pa.types.is_float16(values.type):
        return values.cast(pa.float64())
    numbers = values.fill_null(np.float16(0)).to_numpy(zero_copy_only=False).astype("f8")
    return pa.array(numbers, mask=values.is_null().to_numpy(zero_copy_only=False))


def _same(old: Any, new: Any) -> bool:
    """Whether two of Python's values are the same; NaN is NaN."""
    if type(old) is not type(new):
        return False
    if isinstance(old, dict):
        return _same([*old.items()], [*new.items()])
    if isinstance(old, list | tuple):
        return len(old) == len(new) and all(map(_same, old, new))
    return repr(old) == repr(new) if isinstance(old, float) else bool(old == new)
