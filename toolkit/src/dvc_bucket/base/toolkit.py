"""The toolkit itself: the distribution that a project installs, and its version."""

import platform
from importlib import metadata

#: Name of the distribution, as `pip install` takes it.
DISTRIBUTION = "dvc-bucket"

#: The command that it installs.
COMMAND = "bucket"


def version() -> str:
    """The version of the distribution that provides the command; empty if none does."""
    commands = metadata.entry_points(group="console_scripts", name=COMMAND)
    return next((entry.dist.version for entry in commands if entry.dist), "")


def installed_version(package: str) -> str:
    """The version of an installed package; empty if there is none."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def versions() -> str:
    """The versions of the toolkit, DVC and Python, one in a line."""
    return "\n".join(
        (
            f"{DISTRIBUTION} {version() or '(not installed as a package)'}",
            f"dvc {metadata.version('dvc')}",
            f"Python {platform.python_version()}",
        )
    )
