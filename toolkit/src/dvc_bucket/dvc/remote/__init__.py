"""A remote of DVC: which one, the names of its objects, its lists of what directories hold."""

from dvc_bucket.dvc.remote.connection import Remote
from dvc_bucket.dvc.remote.lists import Lists
from dvc_bucket.dvc.remote.object_files import Contents

__all__ = ["Contents", "Lists", "Remote"]
