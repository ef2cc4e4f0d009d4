"""The template holds no secret."""

from dvc_bucket import Project
from dvc_bucket.git.secrets import scan
from tests.end_to_end.clones import REPOSITORY


def test_this_repository_is_clean_now_and_in_every_commit() -> None:
    assert scan.tracked(Project(REPOSITORY)).findings == []
    assert scan.history(Project(REPOSITORY)).findings == []
