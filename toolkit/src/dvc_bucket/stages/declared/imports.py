"""Which files of a project its Python code imports, directly or not."""

import ast
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dvc_bucket.stages.declared.programs import NOTEBOOK, PYTHON

#: Modules with which code imports or runs what no import statement names.
DYNAMIC = {"importlib", "pkgutil", "runpy", "subprocess", "multiprocessing"}


@dataclass(frozen=True)
class Code:
    """The code that a program consists of.

    Attributes:
        files: the program, and every file of the project that it imports.
        sections: sections of parameters that it reads through models (`Params`).
        models: sections that it has a model of.
        is_whole: it cannot import anything else.
        others: names that it imports and that are in no file of the project, each with a file that
            does: `pandas`, `google.cloud.storage`.
        late: those of `others` that only functions import, which may never be called.
    """

    files: set[Path] = field(default_factory=set)
    sections: set[str] = field(default_factory=set)
    models: set[str] = field(default_factory=set)
    is_whole: bool = True
    others: dict[str, Path] = field(default_factory=dict)
    late: set[str] = field(default_factory=set)


def code_of(programs: Iterable[Path], modules: Iterable[str], path: Sequence[Path]) -> Code:
    """The code of some programs.

    Args:
        programs: scripts and notebooks; those in other languages are left out.
        modules: that `python -m` runs.
        path: folders that they import from, beside their own.
    """
    code, calls = Code(), set[str]()
    models: dict[str, str] = {}
    pending = [file for file in programs if file.suffix in {PYTHON, NOTEBOOK}]
    folders = [*dict.fromkeys([*(one for file in pending for one in own_folders(file)), *path])]
    for module in modules:  # with what `python -m` runs
        pending += [*_found(module, folders), *_found(f"{module}.__main__", folders)]
    is_whole, always = True, set[str]()
    while pending:
        file = pending.pop()
        if file in code.files:
            continue
        code.files.add(file)
        for tree in _trees(file):
            for module, names, is_late in _imports(tree, file):
                is_whole &= module.partition(".")[0] not in DYNAMIC
                inner = [f"{module}.{one}" for one in names]
                own = [path for name in (module, *inner) for path in _found(name, folders)]
                pending += own
                for name in () if own or Path(module).is_absolute() else inner or [module]:
                    code.others.setdefault(name, file)
                    always |= set() if is_late else {name}
            models |= dict(_models(tree))
            calls |= set(_reads(tree))
    sections = {section for name, section in models.items() if name in calls}
    late = code.others.keys() - always
    return Code(code.files, sections, {*models.values()}, is_whole, code.others, late)


def own_folders(script: Path) -> list[Path]:
    """The folders that a script imports from: its own, and the one above its package."""
    folder = script.parent
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    return [script.parent, folder]


def _found(module: str, folders: Sequence[Path]) -> list[Path]:
    """The file of a module and those of the packages around it; none if it is no project's."""
    if not module or Path(module).is_absolute():
        return [Path(module)] if module and Path(module).is_file() else []
    for folder in folders:
        files, place = [], folder
        for part in module.split("."):
            if (place / part / "__init__.py").is_file():
                files.append(place / part / "__init__.py")
            elif (place / f"{part}.py").is_file():
                files.append(place / f"{part}.py")
                break
            elif not (place / part).is_dir():
                break
            place = place / part
        if files:
            return files
    return []


def _trees(file: Path) -> tuple[ast.AST, ...]:
    """The syntax of a file, or of each cell of a notebook in Python; none of what is no Python."""
    text = file.read_text(encoding="utf-8", errors="replace")
    trees = []
    for source in _cells(text) if file.suffix == NOTEBOOK else [text]:
        try:
            trees.append(ast.parse(source))
        except (SyntaxError, ValueError):
            continue
    return tuple(trees)


def _cells(text: str) -> Iterator[str]:
    try:
        notebook = json.loads(text)
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError):
        return
    for cell in cells:
        source = "".join(cell.get("source") or ())
        # Commands of IPython and of the shell.
        yield "\n".join("" if line.lstrip().startswith(("%", "!")) else line
                        for line in source.splitlines())  # fmt: skip


def _imports(tree: ast.AST, file: Path) -> Iterator[tuple[str, list[str], bool]]:
    """Each imported module, the names taken from it, and whether only a function imports it.

    A module of a relative import is the path of its file.
    """
    for node, is_late in _run(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, [], is_late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or "", [alias.name for alias in node.names], is_late
        elif isinstance(node, ast.ImportFrom):
            yield from ((str(path), [], is_late) for path in _relative(node, file))


def _relative(node: ast.ImportFrom, file: Path) -> Iterator[Path]:
    """The files of a relative import."""
    names = [alias.name for alias in node.names]
    folder = file.parents[node.level - 1]
    yield folder / "__init__.py"
    modules = [node.module] if node.module else names
    inner = [name for name in names if node.module]
    for module in modules:
        yield from _found(module, [folder])
        for name in inner:
            yield from _found(f"{module}.{name}", [folder])


def _run(tree: ast.AST) -> Iterator[tuple[ast.AST, bool]]:
    """All nodes but those that only a type checker sees, each with whether a function has it."""
    pending = [(tree, False)]
    while pending:
        node, is_late = pending.pop()
        yield node, is_late
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            pending += [(inner, is_late) for inner in node.orelse]
        else:
            late = is_late or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            pending += [(inner, late) for inner in ast.iter_child_nodes(node)]


def _models(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Name and section of each model of parameters in a file."""
    from dvc_bucket.stages.params import section_of

    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(_last(base) == "Params" for base in node.bases):
            yield node.name, section_of(node.name)


def _reads(tree: ast.AST) -> Iterator[str]:
    """Names of which a method `read` is called or given away."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "read":
            yield _last(node.value)


def _last(node: ast.expr) -> str:
    """The last name of `module.Name` or `Name`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
