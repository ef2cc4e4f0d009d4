"""The modules that a script imports are those of its own checkout, whatever is installed.

DVC runs queued and temporary experiments in copies of the repository, and `bucket check` runs
stages in clones. An editable install of the project would lead all of them to the modules of the
clone that it was made in.
"""

import os
import sys
from pathlib import Path


def import_own_code() -> None:
    """Put the folder of the running script's package first on Python's import path.

    A script in `src/PACKAGE`, a folder with `__init__.py`, then imports that package from its own
    `src`. So do processes that it starts (through `PYTHONPATH`). The path does not change for a
    script outside a package, or a module run with `python -m`.

    The script exits with a message if it has imported its package from another place.
    """
    main = sys.modules.get("__main__")
    script = getattr(main, "__file__", None)
    if not script or getattr(main, "__spec__", None):
        return
    folder = Path(script).absolute().parent
    package = ""
    while (folder / "__init__.py").is_file():
        package, folder = folder.name, folder.parent
    if not package:
        return
    _check(package, folder)
    sys.path[:] = [str(folder), *(path for path in sys.path if path != str(folder))]
    inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    others = [path for path in inherited if path and path != str(folder)]
    os.environ["PYTHONPATH"] = os.pathsep.join([str(folder), *others])


def _check(package: str, folder: Path) -> None:
    """End the program if its package was imported from elsewhere."""
    file = getattr(sys.modules.get(package), "__file__", None)
    if file and Path(file).resolve().parent != (folder / package).resolve():
        sys.exit(
            f"{Path(sys.argv[0]).stem}: {package} was imported from {file}, another copy of the "
            f"project. In the script, import dvc_bucket.stages before {package}."
        )
