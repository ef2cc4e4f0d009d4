"""What a result is made by, besides its input: the project's modules, packages and kernels.

A worker of a cluster may have been started before a module was changed, or on its own terms. And
what an interrupted stage has finished may be kept only as long as the same would come of it again.
"""

import hashlib
import importlib
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, Self

from dvc_bucket.base.errors import ProjectError, StageError
from dvc_bucket.base.kernels import kernel_variables
from dvc_bucket.base.paths import Project
from dvc_bucket.base.toolkit import installed_version
from dvc_bucket.transfer.single import file_sha256

#: Packages whose release may change the bytes of a result.
PACKAGES = ("dvc-bucket", "numpy", "pandas", "pyarrow")

#: The toolkit's own package, whose release counts.
TOOLKIT = __name__.partition(".")[0]


@dataclass(frozen=True)
class Recipe:
    """The recipe of a process.

    Attributes:
        modules: SHA-256 of the source of each module of the project that it has imported.
        terms: releases of Python and packages, and the variables that pin kernels.
        folders: that the project's modules are imported from, from its root.
    """

    modules: Mapping[str, str]
    terms: Mapping[str, str]
    folders: Sequence[str] = ()

    @classmethod
    def here(cls) -> Self:
        """The recipe of this process.

        Raises:
            ProjectError: the current folder is in no project.
        """
        modules = {name: _digest(name) for name in own_modules()}
        return cls(modules, _terms(), _own_folders())

    def checked(self, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """The function, for a worker of Dask; there it fails unless that has the same recipe."""
        from distributed.protocol import pickle

        return partial(_run_checked, self, pickle.dumps(function))

    def digest(self, *parts: str) -> str:
        """SHA-256 of the recipe, the script that runs, and more that a result depends on."""
        script = getattr(sys.modules["__main__"], "__file__", None)
        own = file_sha256(Path(script)) if script else ""
        text = json.dumps([dict(self.modules), dict(self.terms), own, parts])
        return hashlib.sha256(text.encode()).hexdigest()


def own_modules() -> list[str]:
    """Names of the project's modules that this process has imported.

    Those have their file in the project of the current folder, and outside the environment of this
    Python, which may be a folder of the project, too. The toolkit is none of them, wherever it is.

    Raises:
        ProjectError: the current folder is in no project.
    """
    root, environment = Project.find().root, Path(sys.prefix)
    # Whose modules are none of the project's; for most of them, the name of the file tells.
    others = tuple(f"{folder}{os.sep}" for folder in (environment, Path(os.__file__).parent))
    return sorted(
        name
        for name, module in list(sys.modules.items())
        if not name.startswith("__") and name.partition(".")[0] != TOOLKIT
        if (file := getattr(module, "__dict__", {}).get("__file__"))
        if not file.startswith(others)  # before its links are followed, and after
        if (path := Path(file).resolve()).is_relative_to(root)
        if not path.is_relative_to(environment.resolve())
    )


def _own_folders() -> list[str]:
    """Folders of the path of imports that are in the project of the current folder, from its root.

    Raises:
        ProjectError: the current folder is in no project.
    """
    root, environment = Project.find().root, Path(sys.prefix).resolve()
    folders = [Path(path).resolve() for path in sys.path if path]
    return [
        str(folder.relative_to(root))
        for folder in folders
        if folder.is_relative_to(root) and not folder.is_relative_to(environment)
    ]


def _run_checked(expected: Recipe, pickled: bytes, partition: Any) -> Any:
    """Run in a worker what was sent from elsewhere, if it means the same here."""
    with suppress(ProjectError):  # a worker that was started elsewhere finds them in its own way
        folders = [str(Project.find().root / folder) for folder in expected.folders]
        sys.path[:0] = [folder for folder in folders if folder not in sys.path]
    for name in expected.modules:
        importlib.import_module(name)
    here = {name: _digest(name) for name in expected.modules}
    if other := [name for name, digest in expected.modules.items() if here[name] != digest]:
        raise StageError(
            f"The Dask worker on {os.uname().nodename} runs a version of {', '.join(other)} that "
            "differs from this clone's. Restart the workers."
        )
    terms = _terms()
    if other := [name for name, value in expected.terms.items() if terms[name] != value]:
        raise StageError(
            f"The Dask worker on {os.uname().nodename} differs from this process in "
            f"{', '.join(other)}. Start it in this clone: bucket run dask worker ADDRESS."
        )
    return _loaded(pickled)(partition)


@lru_cache(maxsize=1)
def _loaded(pickled: bytes) -> Callable[[Any], Any]:
    """The function, whose modules have been imported and compared."""
    from distributed.protocol import pickle

    function: Callable[[Any], Any] = pickle.loads(pickled)
    return function


@cache
def _digest(module: str) -> str:
    """SHA-256 of a module's source, as it was when this process first asked."""
    file = sys.modules[module].__file__
    return file_sha256(Path(file)) if file else ""


def _terms() -> dict[str, str]:
    return {"Python": sys.version.split()[0]} | _releases() | kernel_variables()


@cache
def _releases() -> dict[str, str]:
    """The release of each of `PACKAGES`; empty text for one that is not installed."""
    return {name: installed_version(name) for name in PACKAGES}
