"""Names of objects in an array, for who compares a million of them. NumPy takes time to import."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.bytes_]


def array_of(names: Iterable[bytes]) -> Ids:
    """Names as an array as wide as the longest; the letter at their end keeps zeros before it."""
    return np.array([*names], np.bytes_)
