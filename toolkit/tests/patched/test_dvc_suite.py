"""DVC's own published suite for remotes, with our file system; `make -C toolkit soak` runs all."""

import pytest
from dvc.testing.remote_tests import TestRemote

__all__ = ["TestRemote"]

pytestmark = pytest.mark.usefixtures("fast", "settings")
