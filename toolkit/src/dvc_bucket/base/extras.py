"""Packages that only some words need: a project installs them as extras of the toolkit."""

from collections.abc import Iterator
from contextlib import contextmanager

from dvc_bucket.base.errors import MissingExtraError
from dvc_bucket.base.toolkit import DISTRIBUTION

#: The modules, or the program, that an extra brings.
EXTRAS = {
    "store": {"cryptography", "filelock", "weed"},
    "secrets": {"kingfisher_sdk"},
    "crate": {"markdown_it", "rocrate"},
    "dask": {"distributed"},
    "tables": {"duckdb", "polars"},
}


@contextmanager
def needed(extra: str) -> Iterator[None]:
    """Import the modules of an extra inside this block.

    Raises:
        MissingExtraError: one is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if module not in EXTRAS[extra]:
            raise
        raise missing(extra, module) from None


def missing(extra: str, what: str) -> MissingExtraError:
    """The failure that names the extra to install.

    Args:
        extra: one of `EXTRAS`.
        what: the module or program that is not there.
    """
    return MissingExtraError(
        f"{what} is not installed in this Python environment. Install it with the extra {extra}: "
        f"`pip install '{DISTRIBUTION}[{extra}]'`."
    )
