"""Objects that other distributions of this environment add by entry points.

A broken entry point never ends a command: it is skipped, and one line on stderr names it. Python
loads nothing but the entry points that a command asks for. Folders inside the project are not
searched, as their content can come from anybody who can push to the repository; the folders of
installed packages are searched wherever they lie.
"""

import os
import site
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.paths import Project
from dvc_bucket.base.terminal import say
from dvc_bucket.base.words import one_line
from dvc_bucket.connection.masking import masked

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

#: Groups of entry points. The name and the object of each are in docs/plugins.md.
CHECKS = "dvc_bucket.checks"
COMPARERS = "dvc_bucket.comparers"
COMMANDS = "dvc_bucket.commands"


@dataclass(frozen=True)
class Plugin:
    """A loaded entry point.

    Attributes:
        title: the entry point, its group and its distribution, for a message.
        name: of the entry point.
        value: the object.
    """

    title: str
    name: str
    value: Any


class PluginError(Exception):
    """Why an entry point cannot be used, as a clause for a person."""


def load(
    group: str,
    check: Callable[[str, Any], None],
    *,
    name: str | None = None,
    taken: Collection[str] = (),
) -> Iterator[Plugin]:
    """Yield the usable entry points of a group, by distribution, and warn of the others.

    Args:
        group: of the entry points.
        check: raises PluginError if the object of a name does not fit the group.
        name: loads the entry points of this name only; None for all.
        taken: names that no entry point can have, as the toolkit has them.
    """
    names = set(taken)
    for distribution, point in _points(group):
        if name not in {None, point.name}:
            continue
        title = f"entry point `{point.name}` ({group}) of {distribution}"
        try:
            value = _load(point, check, names)
        except (Exception, SystemExit) as error:  # the edge to a plugin
            warn(title, "skipped", error)
        else:
            names.add(point.name)
            yield Plugin(title, point.name, value)


def _load(point: "EntryPoint", check: Callable[[str, Any], None], taken: Collection[str]) -> Any:
    if point.name in taken:
        raise PluginError("the toolkit or another distribution already uses this name")
    with redirect_stdout(sys.stderr):  # what an import prints is no part of our output
        value = point.load()
    check(point.name, value)
    return value


def warn(title: str, outcome: str, error: BaseException) -> None:
    """Print one line about a plugin on stderr: which, what became of it, why."""
    text = one_line(error)
    reason = text if isinstance(error, PluginError) else f"{type(error).__name__}: {text}"
    say(masked(f"{title} {outcome}: {reason}"))


def _points(group: str) -> "Iterator[tuple[str, EntryPoint]]":
    """Entry points of a group in order of their distributions, each with name and version of that.

    Of two installed versions the first counts, as Python imports that one.
    """
    folders = _folders()
    if not any(_may_have(folder, group) for folder in folders):
        return
    # It takes 20 ms to import, and most environments have no plugin.
    from importlib.metadata import distributions

    points_of: dict[str, list[tuple[str, EntryPoint]]] = {}
    for distribution in distributions(path=folders):
        try:
            if group in (distribution.read_text("entry_points.txt") or ""):
                points = distribution.entry_points.select(group=group)
                name = distribution.name or _place(distribution)
                title = f"{name} {distribution.version}"
                points_of.setdefault(name, [(title, point) for point in points])
        except Exception as error:  # metadata that others wrote
            warn(f"entry points of {_place(distribution)}", "skipped", error)
    for name in sorted(points_of):
        yield from points_of[name]


def _may_have(entry: str, group: str) -> bool:
    """Whether a folder of `sys.path` may have a distribution with an entry point of a group."""
    folder = entry or "."
    try:
        names = os.listdir(folder)  # noqa: PTH208 (for speed, here and below)
    except FileNotFoundError:
        return False
    except OSError:  # an archive
        return True
    for name in names:
        if name.endswith((".dist-info", ".egg-info")):
            try:
                with open(f"{folder}/{name}/entry_points.txt", encoding="utf-8") as file:  # noqa: PTH123
                    if group in file.read():
                        return True
            except (FileNotFoundError, NotADirectoryError):
                continue
            except (OSError, UnicodeDecodeError):  # it is reported
                return True
        elif name.endswith(".egg"):
            return True
    return False


def _place(distribution: "Distribution") -> str:
    """Folder of the metadata, where it cannot be read."""
    return str(getattr(distribution, "_path", None) or distribution.locate_file(""))


def _folders() -> list[str]:
    """The part of `sys.path` that the project's repository cannot fill."""
    project = Project.around()
    root = project.root if project else Path.cwd()
    installed = {
        Path(folder).resolve() for folder in (*site.getsitepackages(), site.getusersitepackages())
    }
    return [
        entry
        for entry in sys.path
        if (folder := Path(entry).resolve()) in installed or not folder.is_relative_to(root)
    ]
