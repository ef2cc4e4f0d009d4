"""DVC's own view of two commits: their metrics, their plots, and the page of plots.

DVC reads here from a cache that holds the files in question and no others, and its remotes are an
empty folder: what is fetched, and from where, is `Contents`' decision, and DVC never connects to
anything.
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.commit_view import CommitView
from dvc_bucket.dvc.patched import plots as dvc_plots
from dvc_bucket.dvc.remote import Contents, ids
from dvc_bucket.dvc.remote.outputs import opened
from dvc_bucket.dvc.snapshot import overlap

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.types import Repo


@contextmanager
def alone(project: Project, folder: Path) -> "Iterator[Repo]":
    """The project as DVC sees it with nothing but a cache in `folder`.

    Raises:
        ProjectError: DVC cannot open it.
    """
    config = {"core": {"site_cache_dir": str(folder / "site")}, "cache": {"dir": str(folder)}}
    # What cannot be read the report tells; DVC says it in the log and by itself.
    with opened(project, config) as repo, redirect_stderr(io.StringIO()):
        for name in repo.config["remote"]:
            repo.config["remote"][name] = {"url": str(folder / "nothing")}
        yield repo


def provide(side: CommitView, contents: Contents, cache: Path) -> None:
    """Put what a commit's metrics and plots are made of into a cache, as far as it is at hand."""
    shown = side.shown
    for path, out in side.snapshot.outs.items():
        name = out.object_name
        if name is None or not any(overlap(path, one) for one in shown):
            continue
        files = {path: name}
        if ids.is_list(name):
            _link(contents.list_file(name), cache / ids.path(name))
            members = contents.members(name) or {}
            files = {f"{path}/{member}": object_name for member, object_name in members.items()}
        for file, object_name in files.items():
            if any(overlap(file, one) for one in shown):
                _link(contents.file(file, object_name), cache / ids.path(object_name))


def _link(content: Path | None, target: Path) -> None:
    if content and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(content.resolve())


def metrics(repo: "Repo", side: CommitView) -> dict[str, Any]:
    """The metrics of a commit by file; an exception for one that cannot be read."""
    if not side.snapshot.is_project:
        return {}
    found = dvc_plots.metrics(repo, side.commit)
    if "error" in found:
        return dict.fromkeys(side.shown, found["error"])
    return {path: one.get("error") or one["data"] for path, one in found["data"].items()}


def plots(repo: "Repo", sides: Mapping[str, CommitView]) -> dict[str, Any]:
    """What DVC reads of the plots of commits, by the titles that these are given."""
    return {
        title: dvc_plots.plots(repo, side.commit)
        for title, side in sides.items()
        if side.snapshot.is_project
    }


def write_page(points: Mapping[str, Any], templates: Path, folder: Path) -> None:
    """Write what `dvc plots diff` shows as `index.html` in an empty folder, with its images.

    Args:
        points: of `plots`.
        templates: the project's own templates of plots.
        folder: the page's.
    """
    renderers = dvc_plots.drawn(points, templates, folder / "static")
    dvc_plots.write_page(renderers, folder / "index.html")
