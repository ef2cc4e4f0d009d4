"""Does this node reach the store, with these keys? If not: one sentence, exit status 1."""

import sys

from dvc_bucket import BucketError, Project, Settings, stored_sha256
from dvc_bucket.base import ports
from dvc_bucket.dvc.connected import remote_prefix


def reach() -> None:
    """Ask for an object that is not there, which takes a signed request and moves nothing.

    Raises:
        BucketError: a setting is missing or wrong, or the store refuses or does not answer.
    """
    settings = Settings.load()
    prefix = remote_prefix(Project.find(), settings)
    if settings.is_embedded and ports.is_free(settings.port):
        raise BucketError(
            f"{settings.endpoint_url} is an embedded store, which serves its own machine alone, "
            "and this node has none. A job needs a bucket that all nodes reach: `make init`."
        )
    stored_sha256(f"{prefix}/reached", settings=settings)


if __name__ == "__main__":
    try:
        reach()
    except BucketError as error:
        sys.exit(f"The job ends here: {error}")
