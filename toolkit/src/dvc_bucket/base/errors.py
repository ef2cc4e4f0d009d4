"""Every failure a user can meet, each with the sentence that names the cause and the fix."""

from typing import ClassVar


class BucketError(Exception):
    """Base of all errors that the toolkit raises on purpose.

    The message is one paragraph for a person: which setting or file, what was found, what to do.
    It never holds a secret. The command line prints it and exits with `status`.
    """

    #: Exit status, 1 a failure or finding, 3 what was asked could not be looked at.
    status: ClassVar[int] = 1


class MissingExtraError(BucketError):
    """A package that only some words need is not installed."""


class ProjectError(BucketError):
    """The current folder is in no project, or the project lacks a file that it needs."""


class PackagesError(BucketError):
    """Other versions are installed than packages.yaml has for the stages that were to be run."""


class PartialCloneError(ProjectError):
    """A partial clone lacks files that were asked about, and they cannot be fetched."""

    status = 3


class OwnerError(ProjectError):
    """The repository belongs to another user, so git refuses to read it."""

    status = 3


class NotInS3Error(ProjectError):
    """The remote that was asked about is no bucket, so nothing can be said of it."""

    status = 3


class RevisionError(BucketError):
    """A word that names no commit of this clone."""


class UnsafePathError(BucketError):
    """A path that leads outside its folder, or a folder that another user could have prepared."""


class OutputError(BucketError):
    """An output would replace something that this command did not write."""


class NotTrackedError(BucketError):
    """DVC does not track the path that was asked for, at the revision that was asked for."""


class LockError(BucketError):
    """A dvc.lock that is not what DVC writes."""


class SettingsError(BucketError):
    """A connection setting is missing or cannot be right."""


class ServerError(BucketError):
    """The embedded object store could not be started, reached or stopped."""


class StrangerError(ServerError):
    """Another user's program listens where the embedded store should, so nothing is sent."""


class ProgramError(BucketError):
    """A program that was to be run is not there, or cannot be started."""


class TransferError(BucketError):
    """An object could not be moved between the bucket and the disk."""


class DiskError(TransferError):
    """The disk is full or read-only, a quota is used up, or the disk fails."""


class SpaceError(BucketError):
    """There is no folder to copy to, or no room in it."""


class FormatError(BucketError):
    """No table is read from files of this kind."""


class PackError(BucketError):
    """A folder cannot be packed as it was asked for."""


class ResumeError(BucketError):
    """A state of `iter_samples` that does not fit to what is read now."""


class MissingObjectError(TransferError):
    """The bucket does not hold the object that was asked for."""


class NotPushedError(MissingObjectError):
    """DVC tracks the data, and the remote does not have it."""


class ChecksumError(TransferError):
    """The bytes that arrived are not the bytes that were promised."""


class ReproduceError(BucketError):
    """A `dvc` command of the main job failed; its own output, above, says why."""


class CheckError(BucketError):
    """A commit cannot be rebuilt by anybody: it refers to what is not in it, nor on the remote."""


class NotCheckedError(BucketError):
    """What was asked could not be looked at here, so nothing can be said of it."""

    status = 3


class UpdateError(BucketError):
    """The project cannot take a version of its template; nothing was changed."""


class SaveError(BucketError):
    """A step of `bucket save` that was refused or failed; the steps before it are done."""


class NewError(BucketError):
    """A stage or dataset that cannot be added, as a name is taken or its input is not there."""


class StageError(BucketError):
    """Bad input to a stage, or a stage that cannot run here."""


class StageNameError(BucketError):
    """A word that names no stage of `dvc.yaml`."""
