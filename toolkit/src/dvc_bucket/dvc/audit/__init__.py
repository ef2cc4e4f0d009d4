"""Does the remote hold everything that commits need, with the right content?"""

from dvc_bucket.base.errors import RevisionError
from dvc_bucket.dvc.audit.findings import AuditReport
from dvc_bucket.dvc.audit.revisions import Selection
from dvc_bucket.dvc.audit.verification import VerifyOptions, verify

__all__ = ["AuditReport", "RevisionError", "Selection", "VerifyOptions", "verify"]
