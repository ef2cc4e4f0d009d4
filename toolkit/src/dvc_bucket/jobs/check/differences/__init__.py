"""How two contents of a file differ, in the words of its format: a table, a document, bytes."""

from pathlib import Path

from dvc_bucket.jobs.check.differences import comparer, documents, raw_bytes, tables
from dvc_bucket.jobs.check.differences.tolerance import EXACT, Limits, Tolerance
from dvc_bucket.jobs.check.findings import Difference

__all__ = ["Limits", "Tolerance", "compare"]


def compare(recorded: Path, found: Path, limits: Limits = EXACT) -> Difference:
    """How `found` differs from `recorded`, whose bytes are others.

    Args:
        recorded: a file with the name that the content has, as its end says its format.
        found: the same.
        limits: how far numbers may be apart.
    """
    difference = comparer.compare(recorded, found, limits, taken={*tables.ENDS, *documents.ENDS})
    for kind in (tables, documents):
        if recorded.suffix in kind.ENDS and found.suffix in kind.ENDS:
            difference = kind.compare(recorded, found, limits)
    return difference or raw_bytes.compare(recorded, found)
