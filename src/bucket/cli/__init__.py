"""The words a person types; no logic. `bucket --help` lists them in the order of the imports."""

import sys
import traceback

from bucket import terminal

from bucket.cli import setup, data, reading, checks, lineage, lfs  # isort: skip
from bucket.cli.app import app
from bucket.errors import BucketError

__all__ = ["app", "checks", "data", "lfs", "lineage", "main", "reading", "setup"]


def main() -> None:
    """Run the command line; a failure of ours is one paragraph on stderr and exit status 1.

    Whatever failed, no credential of this clone or environment is in the text.
    """
    terminal.guard()
    try:
        app()
    except Exception as error:
        from bucket.masking import masked

        is_ours = isinstance(error, BucketError)
        text = f"bucket: {error}" if is_ours else traceback.format_exc().rstrip()
        print(masked(text), file=sys.stderr)
        sys.exit(1)
