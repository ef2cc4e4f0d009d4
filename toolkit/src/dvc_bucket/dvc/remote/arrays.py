"""Names of objects in an array, for who compares a million of them. NumPy takes time to import."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from dvc_bucket.dvc.remote import ids

#: NumPy compares the names as bytes; the letter at their end keeps it from cutting off zeros.
TYPE = np.dtype(f"S{ids.SIZE}")

Ids = NDArray[np.bytes_]


def array_of(names: Iterable[bytes]) -> Ids:
    """Names as an array."""
    return np.frombuffer(b"".join(names), TYPE)
