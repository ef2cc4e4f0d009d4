"""DVC's own published suites, as dvc-s3 chooses them, with our file system on two real stores."""

from typing import Any

import pytest
from dvc_s3.tests.test_dvc import (
    TestAPI,
    TestGetUrl,
    TestImport,
    TestImportURLVersionAware,
    TestLsUrl,
    TestRemote,
    TestRemoteVersionAware,
    TestToRemote,
)

__all__ = [
    "TestAPI",
    "TestGetUrl",
    "TestImport",
    "TestImportURLVersionAware",
    "TestLsUrl",
    "TestRemote",
    "TestRemoteVersionAware",
    "TestToRemote",
]

pytestmark = pytest.mark.usefixtures("fast", "settings")


@pytest.fixture
def remote_version_aware(make_remote_version_aware: Any) -> Any:
    return make_remote_version_aware(name="upstream", typ="s3")
