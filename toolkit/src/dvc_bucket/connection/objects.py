"""An object, and the client that reaches it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dvc_bucket.connection.clients.patient import PatientStore
    from dvc_bucket.connection.settings import Settings


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """An object, the client that reaches it, and the connection that the client is made of."""

    store: "PatientStore"
    key: str
    settings: "Settings"

    @classmethod
    def of(cls, settings: "Settings", key: str, store: "PatientStore | None" = None) -> "ObjectRef":
        """An object of the bucket that the settings name.

        Args:
            settings: the connection.
            key: of the object.
            store: a client made from the settings; None for a new one.
        """
        return cls(store or settings.obstore(), key, settings)

    @property
    def bucket(self) -> str:
        """The bucket that it is in."""
        return self.settings.bucket_name

    @property
    def url(self) -> str:
        """The object's name as people write it."""
        return f"s3://{self.bucket}/{self.key}"
