from dvc_bucket import file_sha256

from pipeline.params import Fetch
from pipeline.publish import package_files
from tests.pipeline_tools import PARAMS


def test_the_package_holds_the_five_files_with_the_pinned_sums() -> None:
    pinned = Fetch.read(PARAMS).sha256
    files = package_files()
    assert len(pinned) == 5
    assert {name: file_sha256(files[name]) for name in pinned} == pinned
