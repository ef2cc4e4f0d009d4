"""Where this toolkit touches the inside of DVC: all of it, in one place.

Read in, and tested with, the releases of `TESTED`. Each place is looked for before it is used:
where a later DVC has moved one, DVC runs as it is, slower and otherwise the same, and says so.
`tests/dvc_plane/test_internals.py` fails then, and names the place.
"""

import importlib
from collections.abc import Callable
from typing import Any

from dvc_bucket.dvc.patched import waiting

#: Releases whose inside the places below were read in.
TESTED = {"dvc": "3.67.1", "dvc-objects": "5.2.0", "dvc-data": "3.18.3", "dvc-s3": "3.3.0"}

#: What is replaced: the class of a URL's scheme, by name, in the dictionary of file systems ...
REGISTRY = ("dvc_objects.fs", "known_implementations")
FAST_CLASS = "dvc_bucket.dvc.patched.s3.FastS3FileSystem"

#: ... and the function that moves many files, which `transfer` of that module and `dvc.fs` look up
#: there each time that they call it.
COPY = ("dvc_objects.fs.generic", "copy")

#: The function that lists what a push or a pull is about. It keeps its list in DVC's index on disk,
#: bit by bit, and does not make it again: when a command is interrupted there, the next one takes
#: the part for the whole, and a push says that everything is sent. In memory it is as fast.
COLLECT = ("dvc_data.index.fetch", "collect")

#: The locks: of paths, where ours waits, and of the clone, which it lets go meanwhile.
PATHS_LOCK = ("dvc.rwlock", "rwlock")
MAKE_LOCK = ("dvc.lock", "make_lock")
REPRODUCE = ("dvc.stage", "Stage", "reproduce")

#: The method that reads the list of a directory. A check-out joins the names in it to a folder.
READ_LIST = ("dvc_data.hashfile.tree", "Tree", "from_list")

#: What is used as it is: methods that the fast class overrides or calls, and where files go.
USED = (
    ("dvc_objects.fs.generic", "transfer"),
    ("dvc_objects.fs.local", "LocalFileSystem"),
    ("dvc_objects.fs.base", "FileSystem", "_JOBS"),
    ("dvc_s3", "S3FileSystem", "exists"),
    ("dvc_s3", "S3FileSystem", "isfile"),
    ("dvc_s3", "S3FileSystem", "find"),
    ("dvc_s3", "S3FileSystem", "ls"),
    ("dvc_s3", "S3FileSystem", "open"),
    ("dvc_s3", "S3FileSystem", "rm"),
    ("dvc_s3", "S3FileSystem", "remove"),
    ("dvc_s3", "S3FileSystem", "fs"),
    ("dvc.cli", "main"),
    ("dvc.cli", "parse_args"),
)

#: DVC's own functions, while ours are in their places.
_originals: dict[tuple[str, ...], Any] = {}


def missing() -> list[str]:
    """Dotted names of the places that this DVC does not have."""
    places = (REGISTRY, COPY, COLLECT, PATHS_LOCK, MAKE_LOCK, REPRODUCE, READ_LIST, *USED)
    return [".".join(place) for place in places if not _has(place)]


def install() -> str:
    """Have DVC of this process move the bytes of S3 remotes by the fast way.

    Returns:
        Why not, in a sentence; nothing if it is done.
    """
    if _originals:
        return ""
    if absent := missing():
        return (
            f"this DVC has no {', '.join(absent)}, so its own S3 client moves the data. "
            f"The fast way was made for dvc {TESTED['dvc']}."
        )
    _replace(COPY, lambda _: _copy)
    _replace(COLLECT, lambda _: _collect)
    _replace(PATHS_LOCK, waiting.patient)
    _replace(MAKE_LOCK, waiting.noted)
    _replace(REPRODUCE, waiting.fresh)
    _replace(READ_LIST, _checked)
    _registry()["s3"]["class"] = FAST_CLASS
    return ""


def _replace(place: tuple[str, ...], ours: Callable[[Any], Any]) -> None:
    """Put there what `ours` makes of what is there."""
    _originals[place] = getattr(_holder(place), place[-1])
    setattr(_holder(place), place[-1], ours(_originals[place]))


def _holder(place: tuple[str, ...]) -> Any:
    """The module or class that a place is in."""
    found: Any = importlib.import_module(place[0])
    for name in place[1:-1]:
        found = getattr(found, name)
    return found


def uninstall() -> None:
    """Undo `install`; file systems that exist stay what they are."""
    for place, original in _originals.items():
        setattr(_holder(place), place[-1], original)
    _registry()["s3"]["class"] = "dvc_s3.S3FileSystem"
    _originals.clear()


def dvc_copy(*arguments: Any, **named: Any) -> None:
    """Move files the way DVC does."""
    from dvc_objects.fs import generic

    _originals.get(COPY, generic.copy)(*arguments, **named)


def _copy(*arguments: Any, **named: Any) -> None:
    """In the place of DVC's `copy`, with its arguments; what it needs is loaded at first use."""
    from dvc_bucket.dvc.patched.copy import copy

    copy(*arguments, **named)


def _checked(original: Any) -> Any:
    """In the place of DVC's method: a name that leads out of the directory is refused."""
    from dvc.exceptions import DvcException

    from dvc_bucket.base import safe_paths
    from dvc_bucket.base.errors import UnsafePathError

    def from_list(entries: Any, *arguments: Any, **named: Any) -> Any:
        try:
            for entry in entries:
                safe_paths.check(entry["relpath"])
        except UnsafePathError as error:
            raise DvcException(str(error)) from None
        return original(entries, *arguments, **named)

    return from_list


def _collect(*arguments: Any, **named: Any) -> Any:
    """DVC's own, told of no index to keep the list in."""
    return _originals[COLLECT](*arguments, **named | {"cache_index": None, "cache_key": None})


def _registry() -> dict[str, dict[str, str]]:
    registry: dict[str, dict[str, str]] = getattr(importlib.import_module(REGISTRY[0]), REGISTRY[1])
    return registry


def _has(place: tuple[str, ...]) -> bool:
    try:
        found: Any = importlib.import_module(place[0])
    except ImportError:
        return False
    for name in place[1:]:
        if not hasattr(found, name):
            return False
        found = getattr(found, name)
    return True
