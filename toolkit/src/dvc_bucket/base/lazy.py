"""Public names of a package that are imported when they are first asked for."""

import ast
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any


def lazy_names(package: str) -> Callable[[str], Any]:
    """A `__getattr__` for a package (PEP 562) that imports each public name on first use.

    Importing the package then costs nothing: pyarrow alone takes longer than most commands.
    Public, and in `__all__`, is what the package defines without an underscore, and what it imports
    `as` the same name: for type checkers alone, under `TYPE_CHECKING`.

    Args:
        package: its full name.
    """

    @cache
    def modules() -> dict[str, str]:
        """The module that has each public name."""
        tree = ast.parse(Path(str(sys.modules[package].__file__)).read_text(encoding="utf-8"))
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        return dict.fromkeys((name for name in defined if name[0] != "_"), package) | {
            alias.asname: str(node.module)
            for node in imports
            for alias in node.names
            if alias.asname
        }

    def get(name: str) -> Any:
        if name == "__all__":
            return sorted(modules())
        if name.startswith("__") or name not in modules():
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(modules()[name]), name)

    return get
