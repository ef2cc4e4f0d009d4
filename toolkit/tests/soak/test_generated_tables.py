"""Many more tables than `tests/reading` draws."""

from pathlib import Path

from hypothesis import given, settings

from dvc_bucket import Project
from tests.reading.generated_tables import Generated, generated
from tests.reading.test_generated_tables import SETTINGS, check_everywhere


@settings(max_examples=1000, **SETTINGS)
@given(made=generated())
def test_every_way_to_read_gives_the_same(store: Project, tmp_path: Path, made: Generated) -> None:
    check_everywhere(store, tmp_path, made)
