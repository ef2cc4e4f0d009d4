"""In the place of DVC's report of an error that it does not know."""

from collections.abc import Callable

from dvc_objects.errors import ObjectFormatError

from dvc_bucket.base import failures
from dvc_bucket.connection import log
from dvc_bucket.dvc.patched.channel import logger
from dvc_bucket.dvc.patched.replacement import replacement

Report = Callable[[Exception], int | None]


@replacement
def explained(report: Report, error: Exception) -> int | None:
    """DVC's report, but for failures of the machine and of data, which get our sentence.

    DVC calls a full disk an unexpected error, and sends the person to its support.
    """
    log.failed(error)
    said = failures.of_machine(error)
    if isinstance(error, ObjectFormatError):
        said = (
            "The list of files of a directory does not have the form that DVC writes: "
            f"{error}. Ask the publisher of the data to push it again; `bucket verify` names "
            "the directory."
        )
    if isinstance(error, FileNotFoundError) and not error.errno and error.args:
        paths = error.args[0] if isinstance(error.args[0], list) else error.args
        said = (
            f"There is no {', '.join(map(str, paths))} at the revision that was read. `bucket "
            "dvc ls URL` lists the files of a repository, and --rev names a revision."
        )
    if not said:
        return report(error)
    logger.error("%s", said)
    return None
