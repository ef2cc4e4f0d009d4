"""Experiments of DVC's queue: what waits, a folder for each, and its result among DVC's own.

DVC's code makes the folder, runs the experiment there and fetches its commit. Other than with DVC's
workers, an experiment stays in the queue until its result is kept or it failed: what was
interrupted, or killed, is there for the next run.
"""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dvc_bucket.base.errors import ExperimentError
from dvc_bucket.base.words import one_line
from dvc_bucket.dvc.patched.repository import has_git

if TYPE_CHECKING:
    from dvc.repo import Repo


class Queued(NamedTuple):
    """An experiment that waits.

    Attributes:
        name: of the experiment.
        rev: the commit of git that holds its changes.
        entry: DVC's own record of it.
        message: the one in DVC's queue that stands for it.
        options: of the command that queued it, for the one that runs it.
    """

    name: str
    rev: str
    entry: Any
    message: Any
    options: Sequence[str]


class Ready(NamedTuple):
    """An experiment with a folder of its own.

    Attributes:
        queued: the experiment.
        executor: DVC's, which has the folder.
        info: the file in which DVC notes the result.
        words: DVC's command that runs it.
    """

    queued: Queued
    executor: Any
    info: str
    words: Sequence[str]


def queued(repo: "Repo") -> list[Queued]:
    """The experiments in the queue, the oldest first; those that a worker of DVC runs are not.

    Raises:
        ExperimentError: the project is in no git repository.
    """
    if not has_git(repo):
        raise ExperimentError(
            f"{repo.root_dir} is not in a git repository, but experiments are commits. Create one: "
            "`git init`."
        )
    waiting = []
    for message, entry in repo.experiments.celery_queue._iter_queued():
        _, named, _ = message.decode()
        options = [word for path in named.get("copy_paths") or () for word in ("-C", path)]
        options += ["-m", named["message"]] if named.get("message") else []
        name = entry.name or entry.stash_rev[:7]
        waiting.append(Queued(name, entry.stash_rev, entry, message, options))
    return waiting


def has_worker(repo: "Repo") -> bool:
    """Whether a worker of DVC (`dvc queue start`) takes experiments from the queue."""
    queue = repo.experiments.celery_queue
    # To ask takes a second. Each worker leaves a file.
    return any(Path(queue.wdir).glob("dvc-exp-worker-*.pid")) and bool(queue.worker_status())


def metas(repo: "Repo", one: Queued) -> dict[str, Any]:
    """The `meta` of each stage of an experiment, by the stage's address.

    Raises:
        ExperimentError: DVC cannot read its files.
    """
    from dvc.exceptions import DvcException

    try:
        with repo.switch(one.rev):
            return {stage.addressing: stage.meta for stage in repo.index.stages}
    except DvcException as error:
        raise ExperimentError(f"DVC cannot read its files: {one_line(error)}") from error


def make_ready(repo: "Repo", one: Queued, folder: Path) -> Ready:
    """Make a folder for an experiment: a clone with its changes, without the data.

    Args:
        repo: the project.
        one: the experiment.
        folder: in which the new one is made.

    Raises:
        ExperimentError: DVC cannot make it.
    """
    from configobj import ConfigObj
    from dvc.exceptions import DvcException
    from dvc.repo.experiments.executor import local
    from dvc.repo.experiments.stash import ExpStashEntry
    from dvc.scm import SCMError

    # DVC writes the folder's configuration in ASCII, and the path of the cache may have an é.
    local.ConfigObj = partial(ConfigObj, encoding="utf-8")
    entry = one.entry
    stashed = ExpStashEntry(None, entry.head_rev, entry.baseline_rev, entry.branch, entry.name)
    info = repo.experiments.celery_queue.get_infofile_path(one.rev)
    try:
        executor = local.TempDirExecutor.from_stash_entry(repo, stashed, wdir=os.fspath(folder))
        executor.init_git(repo, repo.scm, one.rev, stashed, info, branch=entry.branch)
        executor.init_cache(repo, one.rev)
    except (DvcException, SCMError) as error:
        raise ExperimentError(f"it cannot be set up: {one_line(error)}") from error
    executor.info.dump_json(info)
    words = ["exp", "exec-run", "--infofile", info, *one.options]
    return Ready(one, executor, info, words)


def keep(repo: "Repo", ready: Ready) -> None:
    """Fetch the commit of an experiment that ran, and take it from the queue.

    Raises:
        ExperimentError: DVC cannot fetch it; the experiment is still in the queue.
    """
    from dvc.exceptions import DvcException
    from dvc.repo.experiments.executor.base import ExecutorInfo
    from dvc.repo.experiments.queue.base import BaseStashQueue
    from dvc.scm import SCMError

    result = ExecutorInfo.load_json(ready.info).result
    try:
        if result:
            BaseStashQueue.collect_executor(repo.experiments, ready.executor, result)
        if not (result and result.ref_info and repo.scm.get_ref(str(result.ref_info))):
            raise ExperimentError("DVC did not store its result")
    except (DvcException, SCMError) as error:
        raise ExperimentError(f"its result cannot be stored: {one_line(error)}") from error
    _leave(repo, ready.queued)
    queue = repo.experiments.celery_queue
    with suppress(ValueError):  # a person removed it meanwhile
        queue.celery.reject(ready.queued.message.delivery_tag)


def give_up(repo: "Repo", one: Queued) -> None:
    """Take an experiment that failed from the queue; DVC lists it as failed, with its changes."""
    queue = repo.experiments.celery_queue
    queue.stash_failed(one.entry)
    _leave(repo, one)
    processed = queue.celery.conf["broker_transport_options"]["processed_folder"]
    queued(repo)  # after it, the paths of messages are known
    if file := queue.celery._queued_msg_path_cache.get(one.message.delivery_tag):
        Path(file).rename(Path(processed, Path(file).name))
        queue.celery.backend.mark_as_failure(one.message.headers["id"], None)


def remove_folder(ready: Ready) -> None:
    """Remove the folder of an experiment, and what DVC noted of its run."""
    ready.executor.cleanup(ready.info)
    shutil.rmtree(Path(ready.info).parent)


def _leave(repo: "Repo", one: Queued) -> None:
    """Remove an experiment from the commits that wait."""
    queue = repo.experiments.celery_queue
    queue.get_stash_entry(repo.experiments, one.entry)
