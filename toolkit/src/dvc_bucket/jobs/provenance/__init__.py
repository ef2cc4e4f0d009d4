"""The run that a commit records, as a Workflow Run RO-Crate: made from git objects alone."""

from dvc_bucket.jobs.provenance.write import Written, write

__all__ = ["Written", "write"]
