"""The thin shell around every stage: paths from the command line, one clear line on bad input."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import typer

from dvc_bucket.base.errors import BucketError
from dvc_bucket.base.kernels import pin_kernels


def run_stage(main: Callable[..., None]) -> None:
    """Run `main` as `run_program` does, with the same compiled kernels on every CPU.

    If they are not pinned yet, as under plain `dvc repro`, the program restarts itself once. It
    exits with a message if a package that it imported has a version that differs from
    packages.yaml. Call it at the end of the script, under `if __name__ == "__main__":`.
    """
    pin_kernels()
    from dvc_bucket.base import packages  # only stages need it

    try:
        packages.check_imported()
    except BucketError as error:
        _fail(str(error))
    run_program(main)


def run_program(main: Callable[..., None]) -> None:
    """Run `main` as a command line program and exit.

    The parameters of `main` become those of the program: parameters without a default are
    arguments, in their order; the others are options with the same name. The module's docstring is
    its help. The exit status is 0, 1 on bad input, or 2 on wrong usage. Bad input is a
    `BucketError` (so a `StageError`), or a file that the system cannot open: the program prints one
    paragraph on standard error, without a traceback. Any other exception is a fault of the program
    and keeps its traceback.
    """
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command(help=sys.modules[main.__module__].__doc__)(main)
    try:
        app()
    except BucketError as error:
        _fail(str(error))
    except FileNotFoundError as error:
        _fail(f"{error.filename}: no such file. `dvc repro` creates the outputs of stages.")
    except OSError as error:
        if error.filename is None:
            raise
        _fail(f"{error.filename}: {error.strerror}.")


def _fail(message: str) -> NoReturn:
    print(f"{Path(sys.argv[0]).stem}: {message}", file=sys.stderr)
    sys.exit(1)
