"""`bucket provenance`: the run that a commit records, as a Workflow Run RO-Crate.

`write` collects the `facts` (the commit, its `papers`, included data), makes the `crate` of them
(entities in a `graph`) and its `preview`, and writes a folder or a zip.
"""

from dvc_bucket.jobs.provenance.write import WrittenCrate, write

__all__ = ["WrittenCrate", "write"]
