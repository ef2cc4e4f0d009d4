"""What a change did to stages, metrics, plots and data: a report for its reviewers."""

from bucket.changes.report import MARKER, text
from bucket.changes.run import Changes, Question, compare

__all__ = ["MARKER", "Changes", "Question", "compare", "text"]
