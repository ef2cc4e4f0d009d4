"""Puts our functions in the places of DVC's in this process, all of them or none.

Where a place differs from the tested one, or the environment has `BUCKET_FAST=0`, plain DVC does
the work: it gives the same results, more slowly, and of two commands at once in a clone one may
fail. Three guards stay even then, each as long as its own places are as tested: names in data that
lead out of their folder are refused, no secret follows a redirect of a store to another host, and
our keys do not go to the endpoints that other projects name.
`tests/patched/test_touch_points.py` changes each place and looks at what DVC does.
"""

import functools
import importlib
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

from dvc_bucket.dvc.patched import (
    found,
    gathered,
    index_lookups,
    lookups,
    nesting,
    new_folders,
    plain_yaml,
    recording,
    sharing,
    side_by_side,
    tried_links,
    unexpected,
    waiting,
)
from dvc_bucket.dvc.patched.chosen import VARIABLE, is_plain
from dvc_bucket.dvc.patched.differences import different, sentence
from dvc_bucket.dvc.patched.read_once import read_once
from dvc_bucket.dvc.patched.stage_touch_points import (
    DUMP,
    DUMP_YAML,
    IS_TRACKED,
    RECORD,
    REFLINK,
    REMOVE_OUTS,
    REPRODUCING,
    RESTORE,
    RUN_COMMANDS,
    RUN_STAGE,
    RUN_STAGES,
    SET_LINK,
    TIMES,
    TRY_LINKS,
    UNLOCKED,
)
from dvc_bucket.dvc.patched.touch_points import (
    CONFIG,
    COPY,
    CREDENTIALS,
    EXIST,
    FOLDERS,
    MAKE_LOCK,
    MOVING,
    NODES,
    PATHS_LOCK,
    READ_LIST,
    READING,
    REGISTRY,
    REPORT,
    REPRODUCE,
    STATUS,
    STORAGE,
    TRANSFER,
)
from dvc_bucket.dvc.patched.whole_commits import bring_first

#: Our classes of an S3 remote, by name as the dictionary of file systems has them: DVC imports one
#: when it first needs it.
FAST_CLASS = f"{__package__}.s3.FastS3FileSystem"
STAYING_CLASS = f"{__package__}.staying.StayingS3FileSystem"

#: What each guard uses, and what is lost without it.
NAMES = (READ_LIST, "dvc.exceptions:DvcException")
REDIRECTS = (REGISTRY, CREDENTIALS)
OTHERS = (CONFIG,)
LOST = {
    NAMES: "It accepts names in data that lead out of their folder.",
    REDIRECTS: "Its S3 client follows redirects to other hosts.",
    OTHERS: "It reads data of other projects with your own keys.",
}

#: What was in the places, and the function that puts it back.
_undo: list[Callable[[], None]] = []

#: DVC's own functions, while ours are in their places.
_originals: dict[str, Any] = {}


def install() -> str:
    """Have DVC of this process move the bytes of S3 remotes by the fast way, and wait for others.

    Returns:
        Why plain DVC does the work, in one line; nothing if it does not.

    Raises:
        SettingsError: `BUCKET_FAST` is neither 0 nor 1.
    """
    if _undo:
        return ""
    reason = _reason()
    if not reason:
        ours: Mapping[str, Callable[[Any], Any]] = {
            **gathered.ours(_is_ours),
            **new_folders.OURS,
            COPY: lambda _: _copy,
            TRANSFER: _at_once,
            PATHS_LOCK: lambda rwlock: nesting.once(waiting.patient(rwlock)),
            RECORD: recording.record,
            DUMP: recording.keep_ignored,
            UNLOCKED: recording.light,
            RUN_STAGES: side_by_side.reproduce,
            RUN_COMMANDS: side_by_side.cmd_run,
            REMOVE_OUTS: side_by_side.remove_outs,
            RUN_STAGE: sharing.run,
            RESTORE: sharing.restore,
            IS_TRACKED: lookups.is_tracked,
            SET_LINK: lookups.set_link,
            TIMES: lookups.mtime_and_size,
            DUMP_YAML: plain_yaml.dump,
            REFLINK: tried_links.reflink,
            TRY_LINKS: tried_links.working,
            MAKE_LOCK: waiting.noted,
            REPRODUCE: waiting.fresh,
            REPORT: unexpected.explained,
            EXIST: _asking,
            FOLDERS: _without_folders,
            STATUS: found.noted,
            NODES: index_lookups.traverse,
            STORAGE: index_lookups.storage,
        }
        for place, make in ours.items():
            _replace(place, make)
        bring_first()
        read_once()
    lost = [
        LOST[guard]
        for guard in (NAMES, REDIRECTS, OTHERS)
        if different({place: MOVING[place] for place in guard})
    ]
    if LOST[NAMES] not in lost:
        _replace(READ_LIST, _checked)
    if LOST[OTHERS] not in lost:
        _replace(CONFIG, _guarded_config)
    if LOST[REDIRECTS] not in lost:
        _register(STAYING_CLASS if reason else FAST_CLASS)
    return " ".join([reason, *lost])


def uninstall() -> None:
    """Undo `install`; file systems that exist stay what they are."""
    while _undo:
        _undo.pop()()
    _originals.clear()


def dvc_copy(*arguments: Any, **named: Any) -> None:
    """Move files the way DVC does."""
    from dvc_objects.fs import generic

    _originals.get(COPY, generic.copy)(*arguments, **named)


def _reason() -> str:
    """One line if a person chose plain DVC, or this DVC differs in a place that is used."""
    if is_plain():
        return f"{VARIABLE}=0: plain DVC {version('dvc')} does the work: same results, slower."
    if others := different(MOVING | READING | REPRODUCING):
        return f"{sentence(others)} Plain DVC does the work: same results, slower."
    return ""


def _replace(place: str, make: Callable[[Any], Any]) -> None:
    """Put there what `make` makes of what is there."""
    module, _, path = place.partition(":")
    holder: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for outer_name in outer:
        holder = getattr(holder, outer_name)
    stored = vars(holder)[name]
    _originals[place] = getattr(holder, name)
    _undo.append(lambda: setattr(holder, name, stored))
    setattr(holder, name, make(_originals[place]))


def _register(name: str) -> None:
    """Have DVC use a class of ours for S3."""
    module, _, path = REGISTRY.partition(":")
    entry: dict[str, str] = getattr(importlib.import_module(module), path)["s3"]
    before = entry["class"]
    _undo.append(lambda: entry.update({"class": before}))
    entry["class"] = name


def _copy(*arguments: Any, **named: Any) -> None:
    """In the place of DVC's `copy`, with its arguments; what it needs is loaded at first use."""
    from dvc_bucket.dvc.patched.copy import copy

    copy(*arguments, **named)


def _is_ours(fs: Any) -> bool:
    """Whether a file system is an S3 remote; its class is not imported to find out."""
    return f"{type(fs).__module__}.{type(fs).__name__}" == FAST_CLASS


def _at_once(original: Any) -> Any:
    """In the place of DVC's function: nothing is linked between a remote and a disk."""

    def transfer(from_fs: Any, from_path: Any, to_fs: Any, *arguments: Any, **named: Any) -> None:
        if _is_ours(from_fs) != _is_ours(to_fs):
            named |= {"hardlink": False, "links": ["copy"]}
        original(from_fs, from_path, to_fs, *arguments, **named)

    return transfer


def _without_folders(original: Any) -> Any:
    """In the place of DVC's method, which lists a remote to learn which folders to make."""

    def init(odb: Any, dname: str) -> None:
        if not _is_ours(odb.fs):
            original(odb, dname)

    return init


def _asking(original: Any) -> Any:
    """In the place of DVC's method, which finds out how large a remote is before it lists it.

    What it needs is loaded where a store refuses to list.
    """

    @functools.wraps(original)  # a subclass's is compared after this one is replaced
    def oids_exist(odb: Any, oids: Any, *arguments: Any, **named: Any) -> Any:
        from dvc_bucket.transfer.errors import StoreRefusedError

        wanted = list(oids)
        try:
            if (
                len(wanted) > 1
                and _is_ours(odb.fs)
                and odb.fs.CAN_TRAVERSE
                and (paths := odb.fs.all_of_one_page(odb.path)) is not None
            ):
                return [oid for oid in wanted if odb.oid_to_path(oid) in paths]
            return _found(original(odb, wanted, *arguments, **named), wanted, odb)
        except StoreRefusedError:
            if odb.fs.CAN_TRAVERSE:
                raise
            return original(odb, wanted, *arguments, **named)

    return oids_exist


def _found(found: Any, wanted: list[str], odb: Any) -> Any:
    """Objects that are there; if the only one is not, the bucket may be what is missing."""
    if len(wanted) == 1 and not found and _is_ours(odb.fs) and odb.fs.CAN_TRAVERSE:
        odb.fs.all_of_one_page(odb.path)
    return found


def _checked(original: Any) -> Any:
    """In the place of DVC's method: a name that leads out of the directory is refused.

    So is a list that DVC did not write, of which DVC would say only what Python says.
    """
    from dvc.exceptions import DvcException

    from dvc_bucket.base import safe_paths
    from dvc_bucket.base.errors import UnsafePathError

    def from_list(entries: Any, *arguments: Any, **named: Any) -> Any:
        try:
            for entry in entries:
                safe_paths.check(entry["relpath"])
                bytes(entry.get("md5", ""), "ascii")
        except UnsafePathError as error:
            raise DvcException(str(error)) from None
        except (AttributeError, TypeError, KeyError, ValueError):
            raise DvcException(
                "The list of files of a directory does not have the form that DVC writes. Ask the "
                "publisher of the data to push it again."
            ) from None
        return original(entries, *arguments, **named)

    return staticmethod(from_list)


def _guarded_config(original: Any) -> Any:
    """In the place of DVC's property."""
    from dvc_bucket.dvc.patched.other_projects import guarded

    return guarded(original)
