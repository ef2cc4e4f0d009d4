"""The object store made easy: settings, an embedded store, verified transfers, DVC with words."""

from bucket.errors import BucketError
from bucket.paths import Project
from bucket.settings import Settings
from bucket.transfer import download, file_sha256, stored_sha256, upload, usage

__all__ = [
    "BucketError",
    "Project",
    "Settings",
    "download",
    "file_sha256",
    "stored_sha256",
    "upload",
    "usage",
]
