"""DVC's S3 file system with a client that follows no redirect: it would carry secrets along."""

from typing import Any

import dvc_s3


class StayingS3FileSystem(dvc_s3.S3FileSystem):  # type: ignore[misc] # it has no types
    """An S3 remote; its requests stay on the endpoint's host."""

    def _prepare_credentials(self, **config: Any) -> Any:
        """Options of s3fs."""
        from dvc_bucket.connection.clients.staying import StayingSession

        options = super()._prepare_credentials(**config)
        options.setdefault("config_kwargs", {})["http_session_cls"] = StayingSession
        return options
