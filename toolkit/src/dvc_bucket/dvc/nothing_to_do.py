"""A command with nothing to do, told before DVC starts.

DVC needs a second to say of ten thousand files that they are what they should be. After a command
that found or left everything in order, that is kept with the look of all files that it depends on
(`looks`). Where all of them look the same, the command has nothing to do; where anything does not,
DVC runs. Of a push the store is asked each time whether it still has the objects.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dvc_bucket.base.errors import BucketError
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc import looks

if TYPE_CHECKING:
    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.dvc.patched.types import Output, Repo
    from dvc_bucket.dvc.remote import Remote

#: What DVC says then, by its word.
UP_TO_DATE = "Everything is up to date."
IN_ORDER = "Data and pipelines are up to date."
SAID = {"pull": UP_TO_DATE, "push": UP_TO_DATE, "status": IN_ORDER}

#: Options that change nothing about what these do.
QUIET = {"-q", "--quiet"}

#: Objects that the store is asked for at once, one by one.
LOOKUPS = 32


def is_whole(arguments: Sequence[str]) -> bool:
    """Whether this is one of these words, about the workspace and the usual remote."""
    return arguments[0] in SAID and {*arguments[1:]} <= QUIET if arguments else False


def is_done(project: Project, word: str) -> bool:
    """Whether DVC's `word` has nothing to do. For a `repro`, `status` tells."""
    return word in looks.kept(project.in_order)


def is_sent(project: Project, settings: "Settings") -> bool:
    """Whether a `push` has nothing to do: the store has all objects that the last one sent.

    Of a directory, this is its list, as with `dvc push`. False, too, where the store cannot tell:
    DVC says why.
    """
    names = None if settings.anonymous else looks.kept(project.in_order).get("push")
    with suppress(BucketError):
        return names is not None and _has_all(project, settings, names)
    return False


def look(project: Project) -> None:
    """Keep that everything is in order, if DVC finds it so."""
    from dvc_bucket.dvc.remote.outputs import opened

    begun = looks.now()
    with suppress(OSError, BucketError), opened(project) as repo:
        if not repo.status():
            note(project, repo, "status", begun)


def note(project: Project, repo: "Repo", word: str, begun: int) -> None:
    """Keep that DVC's `word` has nothing to do, if that can be told the next time.

    Args:
        project: the clone.
        repo: the same, opened.
        word: pull, push or status, which left or found everything in order.
        begun: when the command began, as by `looks.now`.
    """
    outs = list(repo.index.outs)
    deps = [dep for dep in repo.index.deps if dep.protocol == "local"]
    if any(out.protocol != "local" for out in outs) or (word == "status" and not _is_lasting(repo)):
        return  # something is elsewhere, and looks like nothing from here
    answer = _sent(outs) if word == "push" else True
    if answer is None:
        return
    whole = {item.fspath for item in (*outs, *deps)}
    objects = Path(repo.cache.local.path)
    cache = [objects, *objects.glob("[0-9a-f][0-9a-f]")]
    single = [*map(str, cache), *looks.saying(project, repo, {out.fspath for out in outs})]
    places = looks.Places(single, sorted(whole))
    with suppress(OSError):  # a clone that cannot be written
        looks.keep(project.in_order, places, {word: answer}, begun if word == "status" else None)


def _is_lasting(repo: "Repo") -> bool:
    """Whether what `status` says changes only with the files of the project."""
    stages = repo.index.stages
    return (
        bool(stages)
        and all(dep.protocol == "local" for dep in repo.index.deps)
        and not any(stage.frozen or stage.is_import for stage in stages)  # DVC says more of those
    )


def _sent(outs: "Sequence[Output]") -> list[str] | None:
    """Paths below the remote's prefix of what a push sends; None where that is elsewhere, too."""
    from dvc_bucket.dvc.remote import ids
    from dvc_bucket.dvc.remote.outputs import name_of

    pushed = [out for out in outs if out.use_cache and out.can_push]
    if any(out.remote or out.stage.is_import or not out.hash_info for out in pushed):
        return None
    names = [name_of(out) for out in pushed]
    return None if any(map(ids.is_legacy, names)) else sorted({*map(ids.path, names)})


def _has_all(project: Project, settings: "Settings", paths: Collection[str]) -> bool:
    """Whether the default remote has all objects at these paths.

    Raises:
        TransferError: the store refused or could not be reached.
    """
    from concurrent.futures import ThreadPoolExecutor

    from dvc_bucket.dvc.remote import Remote, ids
    from dvc_bucket.transfer.errors import naming_failures
    from dvc_bucket.transfer.keys import PAGE, objects

    remote = Remote.of(project, settings, None)
    keys = {"/".join(filter(None, (remote.prefix, path))) for path in paths}
    below = "/".join(filter(None, (remote.prefix, ids.FOLDER.rstrip("/"))))
    with naming_failures(f"list {remote.address}", settings):
        if len(keys) > LOOKUPS:
            page = next(objects(settings, remote.store, below, page=PAGE), ())
            if len(page) < PAGE:
                return keys <= {item["path"] for item in page}
        with ThreadPoolExecutor(LOOKUPS) as pool:
            return all(pool.map(lambda key: _is_there(remote, key), keys))


def _is_there(remote: "Remote", key: str) -> bool:
    try:
        remote.store.head(key)
    except FileNotFoundError:
        return False
    return True
