"""Has a check-out and an update spare data in the work tree that may have no other copy.

- `unused`, in the place of DVC's `_remove_unused_links`: removes data that nothing tracks any more,
  as after `git checkout` of a commit without it, only if the cache has a copy. DVC does not look.
- `removed`, in the place of `Stage.remove`: what is no longer tracked is the person's, and no
  check-out removes it.
- `changes`, in the place of DVC's `_build_out_changes`: where a file cannot be brought, the
  directory that was there before stays. DVC removes all of it: files that the cache does not have,
  and files that `.dvcignore` leaves out.
- `updated`, in the place of DVC's `update_import`: refuses to replace imported data that was
  changed here.
"""

import functools
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dvc_bucket.dvc.patched.stage_touch_points import (
    OUT_CHANGES,
    REMOVE_STAGE,
    UNUSED_LINKS,
    UPDATE_IMPORT,
)

#: DVC's own channel, so that `-q` silences this, too.
logger = logging.getLogger("dvc").getChild("bucket")


def unused(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function that removes what DVC had put into the work tree and nothing tracks now."""

    @functools.wraps(original)
    def ours(repo: Any) -> Any:
        state = repo.state

        def with_copies(used: Any, fs: Any) -> list[str]:
            found = type(state).get_unused_links(state, used, fs)
            return [path for path in found if _has_copy(repo, path)]

        vars(state)["get_unused_links"] = with_copies
        try:
            return original(repo)
        finally:
            del vars(state)["get_unused_links"]

    return ours


def changes(original: Callable[..., Any]) -> Callable[..., Any]:
    """The function that sums up a check-out; DVC removes each output of it of which a file failed.

    DVC still names those that are left out here, and ends with an error.
    """

    @functools.wraps(original)
    def ours(index: Any, found: Any) -> Any:
        from dvc_data.index.diff import ADD

        outs, failed = original(index, found), getattr(found, "failed", ())
        root = index.repo.root_dir
        return {
            key: (kind, numbers)
            for key, (kind, numbers) in outs.items()
            if kind == ADD or not _is_any_in(failed, os.path.join(root, *key))  # noqa: PTH118
        }

    return ours


def removed(original: Callable[..., None]) -> Callable[..., None]:
    """The method that stops tracking outputs, and removes them if it is told to."""

    @functools.wraps(original)
    def ours(stage: Any, force: bool = False, remove_outs: bool = True, purge: bool = True) -> None:
        original(stage, force=force, remove_outs=remove_outs, purge=purge)
        state = stage.repo.state
        for out in () if remove_outs else stage.outs:
            if out.protocol == "local":
                state.links.pop(os.path.relpath(out.fs_path, state.root_dir), None)

    return ours


def updated(original: Callable[..., None]) -> Callable[..., None]:
    """The function that brings imported data again."""

    @functools.wraps(original)
    def ours(stage: Any, *arguments: Any, to_remote: bool = False, **named: Any) -> None:
        from dvc.exceptions import DvcException

        for out in () if to_remote else stage.outs:
            if not all(_is_cached(stage.repo, file) for file in _files(out.fs_path)):
                raise DvcException(
                    f"{out} was changed here. The update would replace the change, and the cache "
                    f"has no copy of it. Copy it elsewhere, then `bucket checkout --force {out}`."
                )
        original(stage, *arguments, to_remote=to_remote, **named)

    return ours


#: Our functions by the place of DVC's.
OURS = {UNUSED_LINKS: unused, REMOVE_STAGE: removed, OUT_CHANGES: changes, UPDATE_IMPORT: updated}


def _is_any_in(paths: Iterable[str], top: str) -> bool:
    return any(path == top or path.startswith(f"{top}{os.sep}") for path in paths)


def _has_copy(repo: Any, path: str) -> bool:
    """Whether the cache has a file, or all files of a folder; a line on stderr if it has not."""
    if all(_is_cached(repo, file) for file in _files(os.path.join(repo.root_dir, path))):  # noqa: PTH118
        return True
    logger.warning(
        "bucket: %s is kept: nothing tracks it now, but the cache has no copy of it. Delete it, or "
        "track it again with `bucket add`.",
        path,
    )
    return False


def _files(path: str) -> Iterator[str]:
    from dvc_objects.fs.local import localfs

    if os.path.isdir(path):  # noqa: PTH112
        yield from localfs.find(path)
    elif os.path.exists(path):  # noqa: PTH110
        yield path


def _is_cached(repo: Any, file: str) -> bool:
    """Whether the cache has a file, by its hash of today or by that of DVC 2."""
    from dvc_data.hashfile.hash import hash_file
    from dvc_objects.errors import ObjectFormatError
    from dvc_objects.fs.local import localfs

    for odb in (repo.cache.local, repo.cache.legacy):
        try:
            odb.check(hash_file(file, localfs, odb.hash_name, repo.state)[1].value)
        except (FileNotFoundError, ObjectFormatError):
            continue
        return True
    return False
