"""dvc-s3's own published cases of its options, with our class in the place of theirs."""

from collections.abc import Iterator

import pytest
from dvc_s3.tests import test_s3
from dvc_s3.tests.test_s3 import *  # noqa: F403
from dvc_s3.tests.test_utils import *  # noqa: F403

from dvc_bucket.dvc.patched.s3 import FastS3FileSystem


@pytest.fixture(autouse=True)
def _our_class() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(test_s3, "S3FileSystem", FastS3FileSystem)
        yield
