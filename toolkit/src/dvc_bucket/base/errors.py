"""Every failure a user can meet, each with the sentence that names the cause and the fix."""

from typing import ClassVar


class BucketError(Exception):
    """Base of all errors that the toolkit raises on purpose.

    The message is one paragraph: the setting or file, what was found, and the fix. It never
    contains a secret. The command line prints it and exits with `status`.
    """

    #: Exit status, 1 a failure or finding, 3 what was asked could not be looked at.
    status: ClassVar[int] = 1


class MissingExtraError(BucketError):
    """A package that only some commands need is not installed."""


class ProjectError(BucketError):
    """The current folder is not in a project, or the project lacks a required file."""


class PackagesError(BucketError):
    """The installed versions differ from packages.yaml for the stages to run."""


class ExperimentError(BucketError):
    """Queued experiments cannot run, or the result of one cannot be kept."""


class PartialCloneError(ProjectError):
    """A partial clone lacks required files, and they cannot be fetched."""

    status = 3


class OwnerError(ProjectError):
    """The repository belongs to another user, so git refuses to read it."""

    status = 3


class NotInS3Error(ProjectError):
    """The remote is not a bucket, so it cannot be checked."""

    status = 3


class RevisionError(BucketError):
    """This clone does not have the revision."""


class UnsafePathError(BucketError):
    """A path leads outside its folder, or another user could have prepared the folder."""


class OutputError(BucketError):
    """An output would replace something that this command did not write."""


class NotTrackedError(BucketError):
    """DVC does not track the path at this revision."""


class LockError(BucketError):
    """A dvc.lock does not have the form that DVC writes."""


class SettingsError(BucketError):
    """A connection setting is missing or invalid."""


class ServerError(BucketError):
    """The embedded object store could not be started, reached or stopped."""


class StrangerError(ServerError):
    """Another user's program listens where the embedded store should, so nothing is sent."""


class ProgramError(BucketError):
    """A program to run is missing or cannot be started."""


class TransferError(BucketError):
    """An object could not be moved between the bucket and the disk."""


class DiskError(TransferError):
    """The disk is full or read-only, a quota is used up, or the disk fails."""


class SpaceError(BucketError):
    """There is no folder to copy to, or it lacks space."""


class FormatError(BucketError):
    """Files of this kind cannot be read as a table."""


class PackError(BucketError):
    """A folder cannot be packed with these options."""


class ResumeError(BucketError):
    """A state of `iter_samples` does not match the current call."""


class MissingObjectError(TransferError):
    """The bucket does not have the object."""


class NotPushedError(MissingObjectError):
    """DVC tracks the data, but the remote does not have it."""


class ChecksumError(TransferError):
    """The content that arrived does not match its checksum."""


class ReproduceError(BucketError):
    """A `dvc` command of the main job failed; its own output, above, says why."""


class CheckError(BucketError):
    """Nobody can rebuild a commit: it refers to data that is neither in it nor on the remote."""


class NotCheckedError(BucketError):
    """The check could not be made here, so its result is unknown."""

    status = 3


class UpdateError(BucketError):
    """The project cannot take a version of its template; nothing was changed."""


class SaveError(BucketError):
    """A step of `bucket save` was refused or failed; earlier steps are done."""


class NewError(BucketError):
    """A stage or dataset cannot be added: its name is taken or its input is missing."""


class StageError(BucketError):
    """A stage has bad input, or cannot run here."""


class StageNameError(BucketError):
    """`dvc.yaml` has no stage of this name."""
