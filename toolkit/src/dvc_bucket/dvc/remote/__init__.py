"""A remote of DVC: which one, the names of its objects, its lists of what directories hold."""

from dvc_bucket.dvc.remote.contents import Contents
from dvc_bucket.dvc.remote.lists import Lists
from dvc_bucket.dvc.remote.place import Remote

__all__ = ["Contents", "Lists", "Remote"]
