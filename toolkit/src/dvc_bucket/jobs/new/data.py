"""Add a dataset: tracked by DVC, or by git if it is small, with its row in the data page."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from dvc_bucket.base import data_page, project_settings, safe_paths
from dvc_bucket.base.data_page import DatasetRow
from dvc_bucket.base.errors import NewError
from dvc_bucket.base.files import all_written, files_below, readable_size
from dvc_bucket.base.paths import Project
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc.connected import run_dvc
from dvc_bucket.dvc.remote.unseen import FIX
from dvc_bucket.dvc.snapshot import Snapshot, overlap
from dvc_bucket.git.contents import Repository, ended
from dvc_bucket.git.saving import unsaved
from dvc_bucket.git.secrets.rules import Rules

#: What git keeps of raw data, in bytes; every clone has all versions of it for ever.
MAX_IN_GIT = 1_000_000

#: Parts of a query that give access to whoever has the address.
SIGNED = ("signature", "token", "sig=", "accesskey", "credential", "password", "apikey", "api_key")


@dataclass(frozen=True)
class DataRequest:
    """The dataset that is wanted.

    Attributes:
        path: from the project's root.
        licence: an SPDX expression.
        origin: where it is from, in words.
        source: an address to take it from; empty if it is at `path`.
        in_git: git keeps the content.
    """

    path: str
    licence: str
    origin: str
    source: str = ""
    in_git: bool = False


@dataclass(frozen=True)
class NewData:
    """A dataset that was added.

    Attributes:
        path: from the project's root.
        tracked_by: `dvc` or `git`.
        files: paths to commit.
    """

    path: str
    tracked_by: str
    files: Sequence[str]


def new_data(
    project: Project, request: DataRequest, settings: Callable[[], Settings], *, quiet: bool = False
) -> NewData:
    """Add a dataset; what an interrupted run has done is kept, and running it again completes it.

    Args:
        project: the clone.
        request: the dataset.
        settings: reads the connection, which DVC needs.
        quiet: DVC prints nothing but errors.

    Raises:
        NewError: the path is taken or not there, the address has a secret, the data is too large
            for git, DVC fails, or git or DVC do not see the result.
        ProjectError: DVC or git cannot read the project.
    """
    snapshot = Snapshot.at(project)
    _check_path(project, snapshot, request)
    page = project_settings.of(project).data_page
    text = _with_row(project, page, request)  # its faults come before anything is done
    options = ["--quiet"] if quiet else []
    place = os.path.relpath(project.root / request.path)  # as DVC, which starts here, reads it
    if request.source:
        (project.root / request.path).parent.mkdir(parents=True, exist_ok=True)
    if request.in_git:
        if request.source:
            _dvc(["get-url", *options, request.source, place], project, settings())
        written = _in_git(project, request)
    else:
        is_tracked = request.path in snapshot.outs
        words = ["import-url", *options, request.source] if request.source else ["add", *options]
        if not (is_tracked and request.source):
            _dvc([*words, place], project, settings())
        written = _by_dvc(project, request)
    is_folder = (project.root / request.path).is_dir()
    if text is not None:
        with all_written({project.root / page: _added(text, page, request, is_folder=is_folder)}):
            pass
    by = "git" if request.in_git else "dvc"
    return NewData(request.path, by, _changed(project, [*written, page]))


def _check_path(project: Project, snapshot: Snapshot, request: DataRequest) -> None:
    path, file = request.path, project.root / request.path
    if fault := safe_paths.fault(path):
        raise NewError(f"{path!r}: {fault}. Give a path of the project from its root.")
    for stage in (*snapshot.stages, *snapshot.tracked):
        for out in stage.outs:
            is_same = stage in snapshot.tracked and out.path == path and not request.in_git
            if overlap(out.path, path) and not is_same:
                raise NewError(f"{path}: {stage.title} has the output {out.path}. Choose another.")
    if request.source:
        _check_source(project, request.source)
        if os.path.lexists(file) and path not in snapshot.outs:
            raise NewError(
                f"{path} exists already. Move it away, or leave --from out to add the existing "
                "file."
            )
    elif not file.exists():
        raise NewError(f"{path}: this file or folder does not exist. Use --from to download it.")


def _check_source(project: Project, source: str) -> None:
    """Refuse an address with a secret: git keeps the address for ever.

    Raises:
        NewError: it has one.
    """
    parts = urlsplit(source)
    hits = Rules(project, Repository.of(project).main).examine("new.dvc", source.encode())
    if parts.password or hits or any(word in parts.query.lower() for word in SIGNED):
        raise NewError(
            "--from contains a password, key or signature, and the address would be stored in git. "
            "Download the data by hand, then run the command again without --from."
        )


def _dvc(words: Sequence[str], project: Project, settings: Settings) -> None:
    if status := run_dvc(words, project, settings):
        raise NewError(
            f"`dvc {words[0]}` failed (exit status {status}); the lines above say why. The page "
            "about the data did not change."
        )


def _by_dvc(project: Project, request: DataRequest) -> list[str]:
    """Check that DVC and git see the `.dvc` file, and git not the data; return its paths."""
    file = f"{request.path}.dvc"
    if request.path not in Snapshot.at(project).outs or _is_ignored(project, file):
        raise NewError(f"{file} was written, but DVC or git ignores it. {FIX}")
    if not _is_ignored(project, request.path):
        raise NewError(f"Git does not ignore {request.path}. Add it to the .gitignore beside it.")
    return [file, _ignore_file(request.path)]


def _in_git(project: Project, request: DataRequest) -> list[str]:
    """Have git see the data, and check that it is small; return its paths."""
    place = project.root / request.path
    files = list(files_below(place)) if place.is_dir() else [place]
    size = sum(file.lstat().st_size for file in files)
    if size > MAX_IN_GIT:
        raise NewError(
            f"{request.path} has {readable_size(size)}; --in-git allows up to "
            f"{readable_size(MAX_IN_GIT)}. Run the command again without --in-git and without "
            "--from."
        )
    names = [file.relative_to(project.root).as_posix() for file in files]
    ignore = _ignore_file(request.path)
    if not any(_is_ignored(project, name) for name in names):
        return [request.path]
    lines = [f"!/{place.name}", *([f"!/{place.name}/**"] if place.is_dir() else [])]
    before = _text(project.root / ignore)
    added = "".join(f"{line}\n" for line in lines if line not in before.splitlines())
    gap = "" if not before or before.endswith("\n") else "\n"
    with all_written({project.root / ignore: before + gap + added}):
        if hidden := next((name for name in names if _is_ignored(project, name)), None):
            said = ended(project.root, "check-ignore", "-v", "--no-index", "--", hidden).stdout
            line = os.fsdecode(said).partition("\t")[0]
            raise NewError(
                f"Git ignores {hidden}: {line}. Remove that line, and run the command again."
            )
    return [request.path, ignore]


def _is_ignored(project: Project, path: str) -> bool:
    words = ("check-ignore", "--quiet", "--no-index", "--", path)
    return ended(project.root, *words).returncode == 0


def _ignore_file(path: str) -> str:
    return Path(path).with_name(".gitignore").as_posix()


def _with_row(project: Project, page: str, request: DataRequest) -> str | None:
    """The text of the page, if the row is to be added; None if it has that row.

    Raises:
        NewError: it says something else of the path.
    """
    text = _text(project.root / page)
    present = next((row for row in data_page.rows(text, page) if row.path == request.path), None)
    if present is None:
        return text
    wanted = DatasetRow(request.path, " ".join(request.origin.split()), request.licence)
    if present != wanted:
        raise NewError(
            f"{page} already has a row for {request.path}, with the licence {present.licence} and "
            f"the origin {present.origin!r}. Edit that row, or give the same values."
        )
    return None


def _added(text: str, page: str, request: DataRequest, *, is_folder: bool) -> str:
    row = DatasetRow(request.path, request.origin, request.licence)
    return data_page.with_row(text, page, row, is_folder=is_folder)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise NewError(f"{path.name} is not UTF-8 text. Fix it first.") from None


def _changed(project: Project, paths: Sequence[str]) -> list[str]:
    """Those of the paths that differ from the last commit, or are not in it."""
    files = unsaved(project, paths, staged=True)
    return [path for path in dict.fromkeys(paths) if any(overlap(one, path) for one in files)]
