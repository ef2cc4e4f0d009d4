"""Is everything that commits need really on the remote, and is it what it should be?"""

from bucket.verify.findings import Report
from bucket.verify.revisions import RevisionError, Selection
from bucket.verify.run import Question, verify

__all__ = ["Question", "Report", "RevisionError", "Selection", "verify"]
