"""Has pytest find the fixtures."""

from tests.patched.fixtures import *  # noqa: F403
