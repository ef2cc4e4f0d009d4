"""The command line; no logic."""

import sys

from dvc_bucket.base import surroundings, tried_again
from dvc_bucket.base.errors import BucketError

__all__ = ["main"]


def main() -> None:
    """Run the command line; a failure is one paragraph on stderr.

    The text contains no credential of this clone or environment.
    """
    try:
        surroundings.settle()  # before the first import of a package
        from dvc_bucket.base import terminal
        from dvc_bucket.cli.app import app

        terminal.guard()
        app()
    except Exception as error:  # the edge to the user: each failure becomes a sentence
        from dvc_bucket.cli import failures
        from dvc_bucket.connection import log
        from dvc_bucket.connection.masking import masked

        log.failed(error)
        print(masked(f"bucket: {failures.sentence(error)}"), file=sys.stderr)
        sys.exit(error.status if isinstance(error, BucketError) else 1)
    finally:
        tried_again.tell()
