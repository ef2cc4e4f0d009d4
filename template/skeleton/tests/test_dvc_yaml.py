"""`dvc.yaml` against the code and the files: for the stages that there are, and for yours."""

from pathlib import Path

from dvc_bucket.testing import stage_faults


def test_dvc_yaml_declares_what_the_stages_run_import_and_read() -> None:
    assert stage_faults(Path(__file__).parents[1]) == []
