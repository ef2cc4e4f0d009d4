"""What a change did to stages, metrics, plots and data: a report for its reviewers."""

from typing import TYPE_CHECKING

from dvc_bucket.base.lazy import lazy_names

if TYPE_CHECKING:
    from dvc_bucket.jobs.report.comparison import Changes, compare
    from dvc_bucket.jobs.report.page import MARKER, render

__getattr__ = lazy_names(
    __name__,
    {
        "MARKER": "dvc_bucket.jobs.report.page",
        "Changes": "dvc_bucket.jobs.report.comparison",
        "compare": "dvc_bucket.jobs.report.comparison",
        "render": "dvc_bucket.jobs.report.page",
    },
)

__all__ = ["MARKER", "Changes", "compare", "render"]
