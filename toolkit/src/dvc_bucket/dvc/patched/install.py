"""Puts our functions in the places of DVC's in this process, all of them or none.

Where a place differs from the tested one, or the environment has `BUCKET_FAST=0`, plain DVC does
the work: it gives the same results, more slowly, and of two commands at once in a clone one may
fail. Three guards stay even then, each as long as its own places are as tested: names in data that
lead out of their folder are refused, no secret follows a redirect of a store to another host, and
our keys do not go to the endpoints that other projects name.
`tests/patched/test_touch_points.py` changes each place and looks at what DVC does.
"""

import importlib
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

from dvc_bucket.dvc.patched import (
    added_again,
    each_file,
    found_once,
    gathered,
    index_lookups,
    last_index,
    leftovers,
    lookups,
    nesting,
    new_folders,
    only_copies,
    plain_yaml,
    quick_status,
    recording,
    remotes,
    reported_status,
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
    ADDING,
    CHECKING_OUT,
    DUMP,
    DUMP_YAML,
    FILE_SYSTEM,
    INDEX,
    IS_TRACKED,
    LOAD_STORAGE,
    READING_STAGES,
    RECORD,
    REFLINK,
    REMOVE_OUTS,
    REPRODUCING,
    RESTORE,
    RUN_COMMANDS,
    RUN_STAGE,
    RUN_STAGES,
    SET_LINK,
    STAGES_STATUS,
    TIMES,
    TRY_LINKS,
    UNLOCKED,
)
from dvc_bucket.dvc.patched.touch_points import (
    CONFIG,
    COPY,
    CREDENTIALS,
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
)
from dvc_bucket.dvc.patched.whole_commits import bring_first

#: The class of an S3 remote that plain DVC moves the data of, by name as `remotes.FAST_CLASS`.
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

#: What makes our function of DVC's, by place.
OURS: Mapping[str, Callable[[Any], Any]] = {
    **gathered.OURS,
    **remotes.OURS,
    **new_folders.OURS,
    **only_copies.OURS,
    **leftovers.OURS,
    **added_again.OURS,
    **each_file.OURS,
    **quick_status.OURS,
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
    STATUS: reported_status.kept,
    STAGES_STATUS: nesting.at_once,
    INDEX: last_index.kept,
    FILE_SYSTEM: found_once.file_systems,
    LOAD_STORAGE: found_once.remotes,
    NODES: index_lookups.traverse,
    STORAGE: index_lookups.storage,
}

#: The places without which plain DVC does the work.
USED = MOVING | READING | READING_STAGES | REPRODUCING | ADDING | CHECKING_OUT

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
        for place, make in OURS.items():
            _replace(place, make)
        bring_first()
        read_once()
    return " ".join([reason, *_guard(STAYING_CLASS if reason else remotes.FAST_CLASS)])


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
    if others := different(USED):
        return f"{sentence(others)} Plain DVC does the work: same results, slower."
    return ""


def _guard(s3_class: str) -> list[str]:
    """Put the guards in their places; what is lost where one cannot be."""
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
        _register(s3_class)
    return lost


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
