"""DVC's classes for annotations: imported under `TYPE_CHECKING` alone."""

from dvc.output import Output
from dvc.repo import Repo

__all__ = ["Output", "Repo"]
