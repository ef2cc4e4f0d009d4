"""DVC's command line, run in this process."""

import argparse
import runpy
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import cast

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.words import one_line


def run(arguments: Sequence[str]) -> int:
    """Run `dvc ARGUMENTS` with our functions installed; return its exit status.

    A command that comes second waits instead of failing after three seconds.

    Raises:
        ProjectError: DVC fails where its own report does not see it: it reads its configuration.
    """
    from dvc.cli import main

    try:
        status: int = main(["--wait-for-lock", *arguments])
    except OSError:
        raise
    except Exception as error:  # the edge to DVC: a configuration can break it in any way
        raise ProjectError(f"DVC fails: {one_line(error)}. Look at .dvc/config.") from error
    return status


def run_plain(arguments: Sequence[str]) -> int:
    """Run `python -m dvc ARGUMENTS`, which is DVC's documented way in; return its exit status."""
    sys.argv = ["dvc", *arguments]
    try:
        runpy.run_module("dvc", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def parsed(arguments: Sequence[str]) -> argparse.Namespace | None:
    """The arguments as DVC understands them; None where it does not, and will say so itself."""
    from dvc.cli import DvcParserError, parse_args

    with suppress(DvcParserError, SystemExit):
        return cast(argparse.Namespace, parse_args(list(arguments)))
    return None
