"""Rebuild a commit from its inputs in a clean clone, and compare every hash."""

from typing import TYPE_CHECKING

from dvc_bucket.base.lazy import lazy_names

if TYPE_CHECKING:
    from dvc_bucket.jobs.check.findings import CheckReport
    from dvc_bucket.jobs.check.rebuild import CheckOptions, check

__getattr__ = lazy_names(
    __name__,
    {
        "CheckOptions": "dvc_bucket.jobs.check.rebuild",
        "CheckReport": "dvc_bucket.jobs.check.findings",
        "check": "dvc_bucket.jobs.check.rebuild",
    },
)

__all__ = ["CheckOptions", "CheckReport", "check"]
