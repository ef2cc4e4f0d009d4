"""Names of objects that promise what their bytes are, and the hash that proves it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dvc_bucket.transfer.files import promised_md5

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


@dataclass(frozen=True, slots=True)
class ContentHash:
    """A hash by which objects are named.

    Attributes:
        label: what people call it.
        new: begins one.
        promised: from a path to the hash of its bytes, hexadecimal; None where the path promises
            none.
    """

    label: str
    new: Callable[[], "hashlib._Hash"]
    promised: Callable[[str], str | None]

    def of(self, body: "ReadableBuffer") -> str:
        """The hash of bytes, hexadecimal."""
        digest = self.new()
        digest.update(body)
        return digest.hexdigest()


#: DVC's objects.
MD5 = ContentHash("MD5", partial(hashlib.md5, usedforsecurity=False), promised_md5)
