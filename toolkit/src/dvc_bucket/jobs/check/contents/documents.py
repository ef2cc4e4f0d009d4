"""JSON and YAML: which keys differ, and by how much."""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dvc_bucket.base.words import counted
from dvc_bucket.jobs.check.contents.tolerance import Limits
from dvc_bucket.jobs.check.findings import Difference

ENDS = (".json", ".yaml", ".yml")

#: How many keys are named; and how long a value is that is shown whole.
MAX_LISTED_KEYS = 5
MAX_VALUE_LENGTH = 60


def compare(recorded: Path, found: Path, limits: Limits) -> Difference | None:
    """How the documents differ; None if one cannot be read."""
    try:
        before, after = _load(recorded), _load(found)
    except (OSError, ValueError, YAMLError):
        return None
    known, new = dict(_flat(before)), dict(_flat(after))
    lines, pairs, largest = [], [], 0.0
    differing = 0
    for key in [*known, *(key for key in new if key not in known)]:
        if key in known and key in new:
            one, other = known[key], new[key]
            if _same(one, other):
                continue
            differing += 1
            if _are_numbers(one, other) and limits.of(key).allows(one, other):
                largest = max(largest, abs(other - one))
                continue
        lines.append(_line(key, known, new))
        pairs.append((_shown(known.get(key)), _shown(new.get(key))))
    if not differing and not lines:
        said = "same values, different formatting"
        return Difference(said, tolerated=not limits.are_exact)
    if not lines:
        return Difference(
            f"{counted(differing, 'value')} within tolerance", largest, tolerated=True
        )
    listed = lines[:MAX_LISTED_KEYS]
    if len(lines) > MAX_LISTED_KEYS:
        listed.append(f"and {len(lines) - MAX_LISTED_KEYS:,} more keys")
    return Difference("; ".join(listed), pairs=tuple(pairs))


def _load(file: Path) -> Any:
    text = file.read_text(encoding="utf-8")
    return json.loads(text) if file.suffix == ".json" else YAML(typ="safe", pure=True).load(text)


def _flat(content: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each value that holds no others, with the keys that lead to it."""
    if isinstance(content, Mapping) and content:
        for key, value in content.items():
            yield from _flat(value, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(content, list) and content:
        for place, value in enumerate(content):
            yield from _flat(value, f"{prefix}.{place}" if prefix else str(place))
    else:
        yield prefix or "the whole", content


def _line(key: str, known: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    if key not in new:
        return f"{key} is not there any more"
    if key not in known:
        return f"{key} is new"
    one, other = known[key], new[key]
    by = f" (by {abs(other - one):.3g})" if _are_numbers(one, other) else ""
    return f"{key}: {_shown(one)} became {_shown(other)}{by}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[: MAX_VALUE_LENGTH - 3]}..."


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return type(one) is type(other) and bool(one == other)


def _are_numbers(one: Any, other: Any) -> bool:
    return all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in (one, other)
    )
