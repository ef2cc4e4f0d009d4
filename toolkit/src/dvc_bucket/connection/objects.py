"""An object, and the client that reaches it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from obstore.store import S3Store


@dataclass(frozen=True, slots=True)
class Place:
    """An object, and the client that reaches it.

    Attributes:
        where: store and bucket, for messages.
    """

    store: "S3Store"
    key: str
    bucket: str
    where: str

    @property
    def url(self) -> str:
        """The object's name as people write it."""
        return f"s3://{self.bucket}/{self.key}"
