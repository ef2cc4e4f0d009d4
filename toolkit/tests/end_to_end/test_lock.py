"""The template's own lock file, merged."""

from tests.bucket.test_lock_merge import unchanged_bytes_are_kept
from tests.end_to_end.clones import REPOSITORY


def test_what_is_not_changed_keeps_its_bytes() -> None:
    unchanged_bytes_are_kept((REPOSITORY / "dvc.lock").read_text(), "report")
