"""Folders and files of a revision by path: those of git, and those of DVC as they are needed."""

import posixpath
from collections.abc import Mapping

from dvc_bucket.git.contents import Entry
from dvc_bucket.read.tracked import TrackedFile
from dvc_bucket.read.tree import Dataset, Tree

#: A file: as git has it, as DVC recorded it, or a dataset that is on no remote.
Item = Entry | TrackedFile | Dataset


class TreeNames:
    """Folders and files by path from the project's root; the root itself is empty.

    The list of a directory that DVC tracks is read when a path in it is asked for.

    Args:
        tree: what DVC tracks.
        in_git: what git has.
    """

    def __init__(self, tree: Tree, in_git: Mapping[str, Entry]) -> None:
        self._tree = tree
        self._items: dict[str, Item] = {}
        self._children: dict[str, set[str]] = {"": set()}
        self._unread: dict[str, Dataset] = {}
        for path, entry in in_git.items():
            self._add(path, entry)
        for path, dataset in tree.datasets.items():
            if "://" in path or (dataset.absence and path in self._items):
                continue  # data that stays outside of the project, or that git has
            if dataset.is_directory:
                self._unread[path] = dataset
                self._add_folder(path)
            elif dataset.absence:
                self._add(path, dataset)
            else:
                [file] = tree.files(dataset)
                self._add(path, file)

    def item(self, path: str) -> Item | None:
        """The file at a path; None for a folder, and where there is nothing."""
        self._read(path)
        return self._items.get(path)

    def children(self, path: str) -> list[str] | None:
        """Sorted paths of what is in a folder; None if the path is none."""
        self._read(path)
        children = self._children.get(path)
        return None if children is None else sorted(children)

    def contents_in_git(self) -> list[str]:
        """Ids of the contents of the files that git has."""
        return [item.id for item in self._items.values() if isinstance(item, Entry)]

    def _read(self, path: str) -> None:
        """Read the list of the directory that a path is in, or is; errors as of `Tree.files`."""
        folder = path
        while folder:
            if dataset := self._unread.get(folder):
                for file in self._tree.files(dataset):
                    self._add(file.path, file)
                self._unread.pop(folder, None)
            folder = posixpath.dirname(folder)

    def _add(self, path: str, item: Item) -> None:
        self._items[path] = item
        self._link(path)

    def _add_folder(self, path: str) -> None:
        self._children.setdefault(path, set())
        self._link(path)

    def _link(self, path: str) -> None:
        """Make a path known in its folder, and that in its own."""
        while path:
            folder = posixpath.dirname(path)
            is_new = folder not in self._children
            self._children.setdefault(folder, set()).add(path)
            if not is_new:
                return
            path = folder
