"""`bucket env --declare`: the packages that stages import, added to their params in dvc.yaml."""

import posixpath
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from dvc_bucket.base import packages
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.files import all_written
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.patched import yaml
from dvc_bucket.dvc.snapshot import Snapshot
from dvc_bucket.stages.declared import versions
from dvc_bucket.stages.declared.packages import Imported, missing, named


@dataclass(frozen=True)
class StageEntry:
    """A stage in a dvc.yaml, as it is written there.

    Attributes:
        file: path of the dvc.yaml.
        name: of the stage, without the items of `foreach` and `matrix`.
        file_of_packages: path of packages.yaml, as this stage has to write it.
    """

    file: str
    name: str
    file_of_packages: str


def declare(project: Project) -> list[str]:
    """Add what stages import and do not name to dvc.yaml; then write packages.yaml.

    Every other byte of a dvc.yaml stays.

    Returns:
        A line for each stage that has more packages now.

    Raises:
        ProjectError: DVC cannot read the project, the lock file does not pin a package, or an entry
            is written in a way that needs a person; then nothing is changed.
    """
    snapshot = Snapshot.at(project)
    wanted = dict(_wanted(project, snapshot))
    pinned = packages.locked(project, {name for names in wanted.values() for name in names})
    texts: dict[str, str] = {}
    for entry, names in wanted.items():
        if unknown := [name for name in names if name not in pinned]:
            raise ProjectError(f"{entry.name}: {versions.unknown(project, unknown[0])}")
        text = texts.get(entry.file) or (project.root / entry.file).read_text(encoding="utf-8")
        texts[entry.file] = with_packages(text, entry, names)
    with all_written({project.root / file: text for file, text in texts.items()}):
        versions.write(project)
    return [f"{entry.name}: {', '.join(names)}" for entry, names in wanted.items()]


def _wanted(project: Project, snapshot: Snapshot) -> Iterator[tuple[StageEntry, list[str]]]:
    """The stages that lack packages, each with all that it needs."""
    if snapshot.graph_error:
        raise ProjectError(f"DVC cannot read the stages: {snapshot.graph_error} Fix this first.")
    found: dict[StageEntry, set[str]] = {}
    for stage in snapshot.stages:
        if lacking := missing(stage, Imported.of_stage(project, stage)):
            name = stage.title.rpartition(":")[2].partition("@")[0]
            path = posixpath.relpath(packages.FILE, stage.folder or ".")
            entry = StageEntry(stage.file, name, path)
            found.setdefault(entry, set()).update(lacking, named(stage))
    yield from ((entry, sorted(names)) for entry, names in found.items())


def with_packages(text: str, entry: StageEntry, names: list[str]) -> str:
    """The text of a dvc.yaml whose stage names these packages, and no other.

    Raises:
        ProjectError: the entry is written in braces, or in another way that cannot be added to.
    """
    content = yaml.loaded(text)
    wanted = deepcopy(content)
    stage = _stage(wanted, entry)
    value, params = {entry.file_of_packages: names}, stage.setdefault("params", [])
    place = next((i for i, one in enumerate(params) if _has(one, entry)), None)
    if place is None:
        params.append(value)
    else:
        params[place] = value
    lines = text.splitlines(keepends=True)
    _write_line(lines, _stage(content, entry), entry, f"[{', '.join(names)}]\n")
    new = "".join(lines)
    try:
        if yaml.loaded(new) == wanted:
            return new
    except yaml.NotYamlError:
        pass  # an entry in braces, say
    raise ProjectError(
        f"{entry.file}: the entry of {entry.name} cannot be extended automatically. Add to its "
        f"params: {entry.file_of_packages}: [{', '.join(names)}]"
    )


def _stage(content: Any, entry: StageEntry) -> Any:
    stage = content["stages"][entry.name]
    return stage.get("do", stage)


def _has(param: object, entry: StageEntry) -> bool:
    return isinstance(param, Mapping) and entry.file_of_packages in param


def _write_line(lines: list[str], stage: Any, entry: StageEntry, names: str) -> None:
    """Put the packages into the lines of a dvc.yaml: in their line, or in a new one."""
    params: Any = stage.get("params") or []
    item = f"- {entry.file_of_packages}: {names}"
    for i, param in enumerate(params):
        if _has(param, entry):
            line, column = params.lc.item(i)
            lines[line] = f"{' ' * (column - 2)}{item}"
            return
    if params:
        line, column = params.lc.item(len(params) - 1)
        lines.insert(line + 1, f"{' ' * (column - 2)}{item}")
        return
    before = "outs" if "outs" in stage else next(iter(stage))
    line, column = stage.lc.key(before)
    lines[line:line] = [f"{' ' * column}params:\n", f"{' ' * column}  {item}"]
