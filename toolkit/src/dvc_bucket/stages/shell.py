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

    Where nobody has pinned them yet, as under plain `dvc repro`, the program starts once more.
    It ends with a sentence if it has imported a package of another version than packages.yaml has.
    Call it at the end of the script, under `if __name__ == "__main__":`.
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

    The parameters of `main` are the program's: those without a default are its arguments, in their
    order; the others are options of the same name. The module's docstring is its help. The exit
    status is 0, 1 on bad input, or 2 on wrong usage. Bad input is a `BucketError` (so a
    `StageError`), or a file that the system does not give: one paragraph on standard error, no
    traceback. Any other exception keeps its traceback: it is a fault of the program.
    """
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command(help=sys.modules[main.__module__].__doc__)(main)
    try:
        app()
    except BucketError as error:
        _fail(str(error))
    except FileNotFoundError as error:
        _fail(f"{error.filename}: no such file. `dvc repro` makes what the stages make.")
    except OSError as error:
        if error.filename is None:
            raise
        _fail(f"{error.filename}: {error.strerror}.")


def _fail(message: str) -> NoReturn:
    print(f"{Path(sys.argv[0]).stem}: {message}", file=sys.stderr)
    sys.exit(1)
