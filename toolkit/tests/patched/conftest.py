"""Has pytest find the fixtures."""

from tests.patched.fixtures import *  # noqa: F403
from tests.patched.small_repos import copied, ran, repo  # noqa: F401
