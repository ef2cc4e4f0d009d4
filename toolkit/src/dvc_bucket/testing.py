"""For the tests of a project: does `dvc.yaml` declare what its stages need?

from dvc_bucket.testing import stage_faults

def test_dvc_yaml_declares_what_the_stages_run_import_and_read() -> None:
    assert stage_faults() == []
"""

from dvc_bucket.stages.declared.faults import stage_faults

__all__ = ["stage_faults"]
