"""The words a person types; no logic."""

import sys
import traceback

from dvc_bucket.base import terminal, tried_again
from dvc_bucket.cli import failures
from dvc_bucket.cli.app import app

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line; a failure that a person can mend is one paragraph on stderr.

    Whatever failed, no credential of this clone or environment is in the text.
    """
    terminal.guard()
    try:
        app()
    except Exception as error:
        from dvc_bucket.connection.masking import masked

        said = failures.sentence(error)
        text = f"bucket: {said}" if said else traceback.format_exc().rstrip()
        print(masked(text), file=sys.stderr)
        sys.exit(1)
    finally:
        tried_again.tell()
