"""Rebuild a commit from its inputs in a clean clone, and compare every hash."""

from typing import TYPE_CHECKING

from dvc_bucket.base.lazy import lazy_names

if TYPE_CHECKING:
    from dvc_bucket.jobs.check.findings import CheckReport as CheckReport
    from dvc_bucket.jobs.check.rebuild import CheckOptions as CheckOptions
    from dvc_bucket.jobs.check.rebuild import check as check

__getattr__ = lazy_names(__name__)
