"""JSON, CSV and text, byte for byte the same for the same content.

Keys are sorted, floats are rounded, line feeds alone end lines, and every file is written under a
temporary name and renamed when it is complete.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.errors import StageError
from dvc_bucket.stages.outputs import complete_or_absent

if TYPE_CHECKING:
    import pandas as pd

#: Decimals of floats in JSON and CSV: more than most results mean, fewer than differ by CPU.
DECIMALS = 6


def write_json(content: Any, path: Path) -> None:
    """Write JSON with sorted keys and floats rounded to `DECIMALS`.

    Raises:
        ValueError: `content` contains NaN or infinity, which JSON does not have.
    """
    text = json.dumps(_rounded(content), indent=2, sort_keys=True, allow_nan=False)
    write_text(text + "\n", path)


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        StageError: it is missing or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError) as error:
        raise StageError(f"{path}: cannot be read as JSON: {error}") from None


def write_csv(frame: "pd.DataFrame", path: Path) -> None:
    """Write a small table for `dvc plots`: a header, no index, floats rounded to `DECIMALS`."""
    write_text(frame.round(DECIMALS).to_csv(index=False, lineterminator="\n"), path)


def write_text(text: str, path: Path) -> None:
    """Write UTF-8 text with line feeds as line ends."""
    with complete_or_absent(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _rounded(content: Any) -> Any:
    """`content` with every float in it rounded to `DECIMALS`."""
    if isinstance(content, float):
        return round(content, DECIMALS)
    if isinstance(content, dict):
        return {key: _rounded(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_rounded(value) for value in content]
    return content
