"""Is everything that commits need really on the remote, and is it what it should be?"""

from bucket.errors import RevisionError
from bucket.verify.findings import Report
from bucket.verify.revisions import Selection
from bucket.verify.run import Question, verify

__all__ = ["Question", "Report", "RevisionError", "Selection", "verify"]
