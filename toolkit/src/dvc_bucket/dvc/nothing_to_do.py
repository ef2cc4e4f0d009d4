"""Ends a command that has nothing to do without starting DVC.

DVC needs a second to find that ten thousand files are unchanged. When a command finds or leaves
everything up to date, this is kept together with the state of all files that it depends on
(`looks`). The next command has nothing to do if all of them are unchanged. Otherwise DVC runs. For
a push, the store is asked each time whether it still has the objects.
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

#: DVC's messages, by command.
UP_TO_DATE = "Everything is up to date."
IN_ORDER = "Data and pipelines are up to date."
SAID = {"pull": UP_TO_DATE, "push": UP_TO_DATE, "status": IN_ORDER}

#: Options that do not change what a command does.
QUIET = {"-q", "--quiet"}

#: Number of simultaneous requests for single objects.
LOOKUPS = 32


def is_whole(arguments: Sequence[str]) -> bool:
    """Whether this is one of these commands, for the whole work tree and the default remote."""
    return arguments[0] in SAID and {*arguments[1:]} <= QUIET if arguments else False


def is_done(project: Project, word: str) -> bool:
    """Whether a `pull` has nothing to do, or a `status` has nothing to report."""
    return looks.kept(project.in_order, word) is not None


def is_sent(project: Project, settings: "Settings") -> bool:
    """Whether a `push` has nothing to do: the store has all objects of the last push.

    For a directory, it looks for the list of its files, as `dvc push` does. Returns False if the
    store does not answer; DVC then reports why.
    """
    names = None if settings.anonymous else looks.kept(project.sent, "push")
    with suppress(BucketError):
        return names is not None and has_all(project, settings, names)
    return False


def look(project: Project) -> None:
    """Keep that everything is up to date, if `dvc status` finds that it is."""
    from dvc_bucket.dvc.remote.outputs import opened

    begun = looks.now()
    with suppress(OSError, BucketError), opened(project) as repo:
        if not repo.status():
            note(project, repo, "status", begun)


def note(project: Project, repo: "Repo", word: str, begun: int) -> None:
    """Keep that a command has nothing to do, if the next one can find out whether this holds.

    Args:
        project: the clone.
        repo: the same, opened.
        word: pull, push or status; it has just found or left everything up to date.
        begun: its start, from `looks.now`.
    """
    outs = list(repo.index.outs)
    deps = [dep for dep in repo.index.deps if dep.protocol == "local"]
    if any(out.protocol != "local" for out in outs) or (word == "status" and not _is_lasting(repo)):
        return  # data outside this machine, whose changes are not seen here
    with suppress(OSError):  # a file that cannot be read, or a read-only clone
        declared = looks.saying(project, repo, {out.fspath for out in outs})
        if word != "push":
            places = _with_data(repo, declared, outs, deps)
            is_of_all = word == "status"
            looks.keep(project.in_order, places, {word: True}, begun, is_of_all=is_of_all)
        elif (names := sent(outs)) is not None:
            looks.keep(project.sent, declared, {word: names}, begun)


def _with_data(
    repo: "Repo", declared: looks.Places, outs: "Sequence[Output]", deps: "Sequence[Output]"
) -> looks.Places:
    """The paths that the answers about data in the work tree depend on."""
    whole = {item.fspath for item in (*outs, *deps)}
    layouts = [Path(repo.cache.local.path), Path(repo.cache.legacy.path)]
    objects = [folder for layout in layouts for folder in layout.glob("[0-9a-f][0-9a-f]")]
    single = [*map(str, [*layouts, *objects]), *declared.single]
    return declared._replace(single=single, whole=sorted(whole))


def _is_lasting(repo: "Repo") -> bool:
    """Whether the answer of `status` depends only on files of this machine."""
    stages = repo.index.stages
    return (
        bool(stages)
        and all(dep.protocol == "local" for dep in repo.index.deps)
        and not any(
            stage.frozen or stage.is_import for stage in stages
        )  # `status` always reports these
    )


def sent(outs: "Sequence[Output]") -> list[str] | None:
    """Paths of the objects of a push, below the remote's prefix; None if there are two remotes."""
    from dvc_bucket.dvc.remote import ids
    from dvc_bucket.dvc.remote.outputs import name_of

    pushed = [out for out in outs if out.use_cache and out.can_push]
    if any(out.remote or out.stage.is_import or not out.hash_info for out in pushed):
        return None
    try:
        names = [name_of(out) for out in pushed]
    except ValueError:  # not an MD5
        return None
    return None if any(map(ids.is_legacy, names)) else sorted({*map(ids.path, names)})


def has_all(project: Project, settings: "Settings", paths: Collection[str]) -> bool:
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
            return all(pool.map(lambda key: is_there(remote, key), keys))


def is_there(remote: "Remote", key: str) -> bool:
    """Whether a remote has an object."""
    try:
        remote.store.head(key)
    except FileNotFoundError:
        return False
    return True
