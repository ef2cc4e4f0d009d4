"""A pull from an embedded store that never held the data: what is missing, and ways to get it."""

from dvc_bucket.base.errors import BucketError
from dvc_bucket.base.paths import Project
from dvc_bucket.base.words import counted
from dvc_bucket.connection.settings import Settings

#: What follows the sentence that tells how much is missing.
WAYS = """\
An embedded store has only data that was pushed to it on its own machine. Ways to get the data:
  - A bucket that all of you can reach: someone who has the data runs `bucket init`.
  - A file: `bucket serve --export FILE` in a clone that has the data, and
    `bucket serve --import FILE` in this one.
  - `make reproduce`, if the inputs of the first stages can be fetched."""


def explained() -> str:
    """What an embedded store lacks of the data of the workspace; empty if that is not the cause."""
    from dvc_bucket.dvc.audit import VerifyOptions, verify

    try:
        project = Project.find()
        settings = Settings.load(project)
        if not settings.is_embedded:
            return ""
        report = verify(project, settings, VerifyOptions())
    except BucketError:  # no project, or the store does not answer: DVC has said so
        return ""
    lacking = sum(1 for row in report.datasets if row.missing)
    if not lacking:
        return ""
    return (
        f"The embedded store at {settings.endpoint_url} lacks data of {lacking:,} of the "
        f"{counted(len(report.datasets), 'dataset')} of this commit. {WAYS}"
    )
