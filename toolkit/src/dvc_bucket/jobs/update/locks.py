"""Lock files: a conflict is resolved package by package, then the packages are locked again."""

import os
import sys
from pathlib import Path

from dvc_bucket.base import lock_file
from dvc_bucket.base.errors import UpdateError
from dvc_bucket.base.programs import ran

#: Without what a make that calls us tells its own children.
_OF_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")


def merged(base: str, ours: str, theirs: str) -> str:
    """A lock file that both sides changed: each pin as the side that changed it has it.

    Where both did, theirs counts. What nothing needs any more goes with the next `lock`.

    Args:
        base: text at the last update.
        ours: text of the project.
        theirs: text of the new version.
    """
    before, mine, new = map(lock_file.packages, (base, ours, theirs))
    pins = mine | {name: lines for name, lines in new.items() if lines != before.get(name)}
    head = theirs[: first.start()] if (first := lock_file.PACKAGE.search(theirs)) else theirs
    return head + "".join(pins[name] for name in sorted(pins))


def lock(root: Path) -> None:
    """Write the lock files of a project as its `make lock` does; a pin that still fits stays.

    packages.yaml is left to the second half: it needs DVC, and a dvc.yaml without a conflict.

    Raises:
        UpdateError: it fails.
    """
    env = {name: value for name, value in os.environ.items() if name not in _OF_MAKE}
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", os.defpath)])
    command = ["make", "--no-print-directory", "lock", "PINS_ONLY=yes"]
    done = ran(command, root, env)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise UpdateError(
            f"The packages of the new version cannot be locked, so nothing was changed:\n{said}"
        )
