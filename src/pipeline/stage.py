"""The thin shell around every stage: paths from the command line, one clear line on bad input."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import typer
from dvc_bucket import BucketError, pin_kernels


class StageError(Exception):
    """Bad input to a stage: what was found, where, and what to do; shown without a traceback."""


def run_stage(main: Callable[..., None]) -> None:
    """Run `main` as `run_program` does, with the same compiled kernels on every CPU.

    Where nobody has pinned them yet, as under plain `dvc repro`, the program starts once more.
    """
    pin_kernels()
    run_program(main)


def run_program(main: Callable[..., None]) -> None:
    """Run `main` as a command line program whose arguments are the parameters of `main`.

    A `StageError` or a `BucketError` becomes one paragraph on standard error and exit status 1;
    wrong usage exits with status 2.
    """
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command(help=sys.modules[main.__module__].__doc__)(main)
    try:
        app()
    except (StageError, BucketError) as error:
        _fail(str(error))
    except FileNotFoundError as error:
        _fail(f"{error.filename}: no such file. `dvc repro` makes what the stages make.")


def _fail(message: str) -> NoReturn:
    print(f"{Path(sys.argv[0]).stem}: {message}", file=sys.stderr)
    sys.exit(1)
