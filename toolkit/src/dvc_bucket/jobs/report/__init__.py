"""What a change did to stages, metrics, plots and data: a report for its reviewers."""

from typing import TYPE_CHECKING

from dvc_bucket.base.lazy import lazy_names

if TYPE_CHECKING:
    from dvc_bucket.jobs.report.comparison import Changes as Changes
    from dvc_bucket.jobs.report.comparison import compare as compare
    from dvc_bucket.jobs.report.page import MARKER as MARKER
    from dvc_bucket.jobs.report.page import render as render

__getattr__ = lazy_names(__name__)
