"""Has pytest find the fixtures."""

from tests.dvc_plane.fixtures import *  # noqa: F403
from tests.dvc_plane.small_repos import copied, ran, repo  # noqa: F401
