"""The command line; no logic."""

import sys
from typing import NoReturn

from dvc_bucket.base import surroundings, tried_again
from dvc_bucket.base.errors import BucketError
from dvc_bucket.cli import dvc_words

__all__ = ["main"]


def main() -> None:
    """Run the command line; a failure is one paragraph on stderr.

    The text contains no credential of this clone or environment.
    """
    try:
        surroundings.settle()  # before the first import of a package
        from dvc_bucket.base import terminal

        terminal.guard()
        if sys.argv[1:] and sys.argv[1] in dvc_words.LISTED:
            _become_dvc()
        from dvc_bucket.cli.app import app

        app()
    except KeyboardInterrupt:
        sys.exit("Aborted!")  # as click says it
    except Exception as error:  # the edge to the user: each failure becomes a sentence
        from dvc_bucket.cli import failures
        from dvc_bucket.connection import log
        from dvc_bucket.connection.masking import masked

        log.failed(error)
        print(masked(f"bucket: {failures.sentence(error)}"), file=sys.stderr)
        sys.exit(error.status if isinstance(error, BucketError) else 1)
    finally:
        tried_again.tell()


def _become_dvc() -> NoReturn:
    """Run a command of DVC without building our own parser, which takes 0.1 s."""
    from dvc_bucket.connection import log
    from dvc_bucket.dvc import command

    log.begin(sys.argv)
    command.become(sys.argv[1:])
