"""Compares places inside DVC with the signatures that the toolkit was written for."""

import dis
import importlib
import inspect
import threading
from collections.abc import Iterator, Mapping
from functools import cache
from inspect import Parameter
from typing import Any

from dvc_bucket.base.errors import BucketError
from dvc_bucket.base.toolkit import installed_version

#: Releases in which the places were read, and the range that `pyproject.toml` allows.
TESTED = {
    "dvc": "3.67.1",
    "dvc-objects": "5.2.0",
    "dvc-data": "3.18.3",
    "dvc-s3": "3.3.0",
    "sqltrie": "0.11.3",
}
RANGE = "dvc>=3.67,<3.68"

#: What stands for the signature of a class, and of anything that cannot be called.
CLASS, ATTRIBUTE = "class", "attribute"

#: Places that are named in a message.
NAMED = 3

#: A place's name, `module:Class.attribute`, and what it has to be.
Places = Mapping[str, str]


class DvcDiffersError(BucketError):
    """The internals of the installed DVC differ from those of the tested one.

    Args:
        places: that differ.
    """

    def __init__(self, places: list[str]) -> None:
        super().__init__(f"{sentence(places)} Install `{RANGE}`.")


#: The places that were compared, and those of them that differ.
_compared: dict[str, bool] = {}

#: Held while places are compared: another thread replaces some as soon as it has compared them.
_comparing = threading.Lock()


def different(places: Places) -> list[str]:
    """Names of the places that this DVC does not have, or has with another signature.

    Each place is compared once in a process: before anything is replaced there.
    """
    with _comparing:
        for place, signature in places.items():
            if place not in _compared:
                _compared[place] = signature_of(place) != signature
    return [place for place in places if _compared[place]]


def require(places: Places) -> None:
    """Make sure of places before they are used.

    Raises:
        DvcDiffersError: one of them differs.
    """
    if others := different(places):
        raise DvcDiffersError(others)


def sentence(places: list[str]) -> str:
    """One sentence that names places that differ, and versions."""
    more = f" and {len(places) - NAMED} more places" if len(places) > NAMED else ""
    named = ", ".join(place.replace(":", ".") for place in places[:NAMED])
    versions = ", ".join(map(_version, TESTED))
    return f"This version of DVC ({versions}) differs from the tested one at {named}{more}."


def signature_of(place: str) -> str | None:
    """The parameters of a function or method; of anything else, its kind; None if it is absent."""
    module, _, path = place.partition(":")
    try:
        member: Any = importlib.import_module(module)
        for name in path.split("."):
            holder, member = member, inspect.getattr_static(member, name, None)
            if member is None:
                return ATTRIBUTE if name in _set_by_init(holder) else None
    except ImportError:
        return None
    if isinstance(member, type):
        return CLASS
    function = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
    return ", ".join(_parameters(function)) if callable(function) else ATTRIBUTE


def _parameters(function: Any) -> Iterator[str]:
    """Each parameter's name, with `=` if it has a default; stars and slash are as in Python."""
    before = None
    for name, parameter in inspect.signature(function).parameters.items():
        kind = parameter.kind
        if before is Parameter.POSITIONAL_ONLY and kind is not before:
            yield "/"
        if kind is Parameter.KEYWORD_ONLY and before not in (kind, Parameter.VAR_POSITIONAL):
            yield "*"
        stars = "*" * ((kind is Parameter.VAR_POSITIONAL) + 2 * (kind is Parameter.VAR_KEYWORD))
        yield f"{stars}{name}{'' if parameter.default is Parameter.empty else '='}"
        before = kind
    if before is Parameter.POSITIONAL_ONLY:
        yield "/"


@cache
def _set_by_init(holder: Any) -> frozenset[str]:
    """Names of the attributes that the objects of a class get when they are made."""
    init = vars(holder).get("__init__") if isinstance(holder, type) else None
    if not inspect.isfunction(init):
        return frozenset()
    steps = dis.get_instructions(inspect.unwrap(init))
    return frozenset(step.argval for step in steps if step.opname == "STORE_ATTR")


def _version(package: str) -> str:
    installed = installed_version(package) or "missing"
    tested = TESTED[package]
    return f"{package} {installed}" + (f", tested: {tested}" if installed != tested else "")
