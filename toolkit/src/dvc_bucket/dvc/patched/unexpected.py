"""In the place of DVC's report of an error that it does not know."""

import logging
from collections.abc import Callable

from dvc_objects.errors import ObjectFormatError

from dvc_bucket.base import failures
from dvc_bucket.connection import log

#: DVC's own channel, so that `-q` silences this, too.
logger = logging.getLogger("dvc").getChild("bucket")

Report = Callable[[Exception], int | None]


def explained(report: Report) -> Report:
    """DVC's report, but for failures of the machine and of data, which get our sentence.

    DVC calls a full disk an unexpected error, and sends the person to its support.
    """

    def told(error: Exception) -> int | None:
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

    return told
