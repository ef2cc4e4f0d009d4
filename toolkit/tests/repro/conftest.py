"""Has pytest find the fixtures."""

from tests.dvc_plane.small_repos import repo  # noqa: F401
