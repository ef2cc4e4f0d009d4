"""JSON and YAML: which keys differ, and by how much."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dvc_bucket.base.terminal import visible
from dvc_bucket.base.words import counted
from dvc_bucket.jobs.check.differences.rows import shown
from dvc_bucket.jobs.check.differences.tolerance import EXACT, Limits
from dvc_bucket.jobs.check.findings import Difference

ENDS = (".json", ".yaml", ".yml")

#: The way to a value: of each document around it its type, and the key or the place.
Place = tuple[tuple[type, Any], ...]

#: In the place of the value of a key that a document does not have.
ABSENT = object()

#: How many keys are named.
MAX_LISTED_KEYS = 5

#: The largest number of which a difference is computed: twice it is one of floating point, too.
MAX_NUMBER = sys.float_info.max / 2


def compare(recorded: Path, found: Path, limits: Limits) -> Difference | None:
    """How the documents differ; None if one cannot be read."""
    try:
        before, after = (dict(_leaves(_load(file))) for file in (recorded, found))
    except (OSError, ValueError, RecursionError, YAMLError):
        return None
    values = {key: (before.get(key, ABSENT), after.get(key, ABSENT)) for key in before | after}
    differing = {key: pair for key, pair in values.items() if not _same(*pair)}
    if not differing:
        text = "same values, different formatting: order of keys, blanks or digits"
        return Difference(text, tolerated=limits != EXACT)
    near = dict(_near(differing, limits))
    wrong = [(key, *pair) for key, pair in differing.items() if key not in near]
    if not wrong:
        text = f"{counted(len(near), 'value')} within tolerance"
        return Difference(text, max(near.values()), tolerated=True)
    lines = [_line(_named(key), old, new) for key, old, new in wrong[:MAX_LISTED_KEYS]]
    if (more := len(wrong) - len(lines)) > 0:
        lines.append(f"and {more:,} more keys")
    pairs = tuple(_both(old, new) for _, old, new in wrong)
    return Difference("; ".join(lines), pairs=pairs)


def _near(pairs: Mapping[Place, tuple[Any, Any]], limits: Limits) -> Iterator[tuple[Place, float]]:
    """The numbers that may differ so far, by key: how far they do."""
    for key, (old, new) in pairs.items():
        if _are_numbers(old, new) and limits.of(_named(key)).allows(old, new):
            yield key, float(abs(new - old))


def _load(file: Path) -> Any:
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".json":
        return json.loads(text, object_pairs_hook=_object)
    return YAML(typ="safe", pure=True).load(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON.

    Raises:
        ValueError: it has a key twice, of which Python would keep the last.
    """
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError
    return content


def _leaves(content: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Each value that holds no others, with the way that leads to it."""
    if content and isinstance(content, Mapping | list):
        kind = type(content)
        for key, value in content.items() if isinstance(content, Mapping) else enumerate(content):
            yield from _leaves(value, (*place, (kind, key)))
    else:
        yield place, content


def _named(place: Place) -> str:
    return visible(".".join(str(key) for _, key in place), keep="") or "the whole"


def _line(key: str, old: Any, new: Any) -> str:
    if new is ABSENT:
        return f"{key} is missing"
    if old is ABSENT:
        return f"{key} is new"
    by = f" (by {float(abs(new - old)):.3g})" if _are_numbers(old, new) else ""
    return f"{key}: {' became '.join(_both(old, new))}{by}"


def _both(old: Any, new: Any) -> tuple[str, str]:
    """Both values as text, as much of them as shows the difference."""
    return shown(_text(old), _text(new))


def _text(value: Any) -> str:
    return json.dumps(None if value is ABSENT else value, ensure_ascii=False, default=repr)


def _same(before: Any, after: Any) -> bool:
    """Whether two values are the same: 1 is not 1.0, and NaN is NaN."""
    return repr(before) == repr(after) or (type(before) is type(after) and bool(before == after))


def _are_numbers(*values: Any) -> bool:
    """Whether all are numbers, and no integers beyond those of floating point."""
    return all(
        isinstance(x, int | float) and not isinstance(x, bool) and not abs(x) > MAX_NUMBER
        for x in values
    )
