"""The words a person types; no logic. `bucket --help` lists them in the order of the imports."""

import sys

from bucket.cli import setup, data, reading, checks, lineage, lfs  # isort: skip
from bucket.cli import failures
from bucket.cli.app import app

__all__ = ["app", "checks", "data", "lfs", "lineage", "main", "reading", "setup"]


def main() -> None:
    """Run the command line; a failure that a person can mend is one paragraph on stderr."""
    try:
        app()
    except Exception as error:
        if said := failures.sentence(error):
            print(f"bucket: {said}", file=sys.stderr)
            sys.exit(1)
        raise
