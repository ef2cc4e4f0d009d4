"""Conditions on rows as a person types them, `dep_delay > 60`, as an expression of pyarrow."""

import re
from collections.abc import Sequence

import pyarrow.dataset as ds
from pyarrow import parquet

from dvc_bucket.base.errors import BucketError

CONDITION = re.compile(r"\s*(?P<column>\w+)\s*(?P<sign><=|>=|==|!=|<|>|=)\s*(?P<value>.*?)\s*")


class ConditionError(BucketError):
    """The text is not a condition on a column."""


def expression(conditions: Sequence[str]) -> ds.Expression | None:
    """All of the conditions as one; None without any.

    Raises:
        ConditionError: one is not of the form `column > value`.
    """
    return parquet.filters_to_expression([*map(_parsed, conditions)]) if conditions else None


def _parsed(text: str) -> tuple[str, str, int | float | str]:
    condition = CONDITION.fullmatch(text)
    if not condition or not condition["value"]:
        raise ConditionError(
            f"{text!r} is not a condition. Write a column, one of < <= > >= == = !=, and a value: "
            "--where 'dep_delay > 60'."
        )
    return condition["column"], condition["sign"], _value(condition["value"])


def _value(text: str) -> int | float | str:
    """A number if it reads as one, else a text; quotes make a text of a number."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text.strip("'\"")
