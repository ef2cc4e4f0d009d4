"""Is everything that commits need really on the remote, and is it what it should be?"""

from dvc_bucket.base.errors import RevisionError
from dvc_bucket.dvc.audit.findings import Report
from dvc_bucket.dvc.audit.revisions import Selection
from dvc_bucket.dvc.audit.run import Question, verify

__all__ = ["Question", "Report", "RevisionError", "Selection", "verify"]
