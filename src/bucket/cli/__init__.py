"""The words a person types; no logic. `bucket --help` lists them in the order of the imports."""

import sys

from bucket import terminal

from bucket.cli import setup, data, reading, checks, lineage, lfs  # isort: skip
from bucket.cli.app import app
from bucket.errors import BucketError

__all__ = ["app", "checks", "data", "lfs", "lineage", "main", "reading", "setup"]


def main() -> None:
    """Run the command line; a failure of ours is one paragraph on stderr and exit status 1."""
    terminal.guard()
    try:
        app()
    except BucketError as error:
        print(f"bucket: {error}", file=sys.stderr)
        sys.exit(1)
