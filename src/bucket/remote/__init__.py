"""A remote of DVC: which one, the names of its objects, its lists of what directories hold."""

from bucket.remote.contents import Contents
from bucket.remote.lists import Lists
from bucket.remote.place import Remote

__all__ = ["Contents", "Lists", "Remote"]
