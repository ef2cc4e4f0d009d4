"""Has pytest find the fixtures."""

from tests.dvc_plane.fixtures import *  # noqa: F403
