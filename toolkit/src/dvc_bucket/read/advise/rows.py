"""Conditions on rows as a person types them, `dep_delay > 60`, as an expression of pyarrow."""

import operator
import re
from collections.abc import Sequence
from functools import reduce
from typing import Any

import pyarrow.dataset as ds

from dvc_bucket.base.errors import BucketError

OPERATORS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
}

CONDITION = re.compile(r"\s*(?P<column>\w+)\s*(?P<sign><=|>=|==|!=|<|>|=)\s*(?P<value>.*?)\s*")


class ConditionError(BucketError):
    """What was typed is no condition on a column."""


def condition(words: Sequence[str]) -> ds.Expression | None:
    """All of the conditions as one; None without any.

    Raises:
        ConditionError: one is not of the form `column > value`.
    """
    return reduce(operator.and_, map(_one, words)) if words else None


def _one(text: str) -> ds.Expression:
    found = CONDITION.fullmatch(text)
    if not found or not found["value"]:
        raise ConditionError(
            f"{text!r} is no condition. Write a column, one of {' '.join(OPERATORS)}, and a value: "
            "--where 'dep_delay > 60'."
        )
    return OPERATORS[found["sign"]](ds.field(found["column"]), _value(found["value"]))


def _value(text: str) -> Any:
    """A number if it reads as one, else a text; quotes make a text of a number."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text.strip("'\"")
