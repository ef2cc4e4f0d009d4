"""How two contents of a file differ, in the words of what it is: a table, a document, bytes."""

from pathlib import Path

from dvc_bucket.jobs.check.contents import comparer, documents, plain, tables
from dvc_bucket.jobs.check.contents.tolerance import EXACT, Limits, Tolerance
from dvc_bucket.jobs.check.findings import Difference

__all__ = ["Limits", "Tolerance", "compare"]


def compare(recorded: Path, found: Path, limits: Limits = EXACT) -> Difference:
    """How `found` differs from `recorded`, whose bytes are others.

    Args:
        recorded: a file with the name that the content has, as its end says what it is.
        found: the same.
        limits: how far numbers may be apart.
    """
    endings = {*tables.READERS, *documents.ENDS}
    difference = comparer.compare(recorded, found, limits, taken=endings)
    if recorded.suffix in tables.READERS and found.suffix in tables.READERS:
        difference = tables.compare(recorded, found, limits)
    elif recorded.suffix in documents.ENDS and found.suffix in documents.ENDS:
        difference = documents.compare(recorded, found, limits)
    return difference or plain.compare(recorded, found)
