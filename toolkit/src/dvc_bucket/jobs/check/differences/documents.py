"""JSON and YAML: which keys differ, and by how much."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dvc_bucket.base.words import counted
from dvc_bucket.jobs.check.differences.tolerance import EXACT, Limits
from dvc_bucket.jobs.check.findings import Difference

ENDS = (".json", ".yaml", ".yml")

#: In the place of the value of a key that a document does not have.
ABSENT = object()

#: How many keys are named; and how long a value is that is shown whole.
MAX_LISTED_KEYS = 5
MAX_VALUE_LENGTH = 60


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
    lines = [_line(*change) for change in wrong[:MAX_LISTED_KEYS]]
    if (more := len(wrong) - len(lines)) > 0:
        lines.append(f"and {more:,} more keys")
    pairs = tuple((_shown(old), _shown(new)) for _, old, new in wrong)
    return Difference("; ".join(lines), pairs=pairs)


def _near(pairs: Mapping[str, tuple[Any, Any]], limits: Limits) -> Iterator[tuple[str, float]]:
    """The numbers that may differ so far, by key: how far they do."""
    for key, (old, new) in pairs.items():
        if _are_numbers(old, new) and limits.of(key).allows(old, new):
            yield key, abs(new - old)


def _load(file: Path) -> Any:
    text = file.read_text(encoding="utf-8")
    return json.loads(text) if file.suffix == ".json" else YAML(typ="safe", pure=True).load(text)


def _leaves(content: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each value that holds no others, with the keys that lead to it."""
    if content and isinstance(content, Mapping | list):
        for key, value in content.items() if isinstance(content, Mapping) else enumerate(content):
            yield from _leaves(value, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix or "the whole", content


def _line(key: str, old: Any, new: Any) -> str:
    if new is ABSENT:
        return f"{key} is not there any more"
    if old is ABSENT:
        return f"{key} is new"
    by = f" (by {abs(new - old):.3g})" if _are_numbers(old, new) else ""
    return f"{key}: {_shown(old)} became {_shown(new)}{by}"


def _shown(value: Any) -> str:
    text = json.dumps(None if value is ABSENT else value, ensure_ascii=False, default=str)
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[: MAX_VALUE_LENGTH - 3]}..."


def _same(before: Any, after: Any) -> bool:
    """Whether two values are the same: 1 is not 1.0, and NaN is NaN."""
    return repr(before) == repr(after) or (type(before) is type(after) and bool(before == after))


def _are_numbers(*values: Any) -> bool:
    return all(isinstance(x, int | float) and not isinstance(x, bool) for x in values)
