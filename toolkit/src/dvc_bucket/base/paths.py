"""Where things are: the only module that knows a path inside the project."""

from dataclasses import dataclass
from pathlib import Path

from dvc_bucket.base.errors import ProjectError

#: What makes a folder a project of DVC, from that folder.
CONFIG = ".dvc/config"

#: Names of the variables by which clusters offer fast disks, the most usual first.
FAST_DISKS = ("SCRATCH", "TMPDIR")

#: What of a project can hold credentials, from its root.
PRIVATE = (".env", ".git", ".dvc/config.local", ".dvc/tmp", ".bucket")


class _Below:
    """An attribute of a project: the path of a file or folder of it."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __get__(self, project: "Project", _: object = None) -> Path:
        return project.root / self._path


@dataclass(frozen=True)
class Project:
    """The folders and files of one checkout.

    Attributes:
        root: absolute path of the folder that contains `.dvc`.
    """

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> "Project":
        """Return the project around `start` (default: the current folder).

        Raises:
            ProjectError: neither `start` nor a folder above it contains `.dvc/config`.
        """
        if project := cls.around(start):
            return project
        here = (start or Path.cwd()).resolve()
        raise ProjectError(
            f"{here} is not inside a DVC project (no .dvc/config here or above). "
            "Change into your clone of the project and run the command again."
        )

    @classmethod
    def around(cls, start: Path | None = None) -> "Project | None":
        """Return the project around `start` (default: the current folder), or None."""
        here = (start or Path.cwd()).resolve()
        folders = (folder for folder in (here, *here.parents) if (folder / CONFIG).is_file())
        return next(map(cls, folders), None)

    def is_private(self, path: Path) -> bool:
        """Whether a path, its links followed, is or is below what can hold credentials."""
        real = path.resolve()
        return any(real.is_relative_to((self.root / name).resolve()) for name in PRIVATE)

    #: The connection settings and credentials, git-ignored, mode 0600.
    env_file = _Below(".env")

    #: The tracked pattern that `.env` is made from.
    env_example = _Below(".env.example")

    #: DVC's tracked configuration: remote, endpoint, link types; never a secret.
    dvc_config = _Below(".dvc/config")

    #: DVC's git-ignored overrides for this clone alone.
    dvc_config_local = _Below(".dvc/config.local")

    #: The hash of everything that the stages read and wrote when they last ran.
    dvc_lock = _Below("dvc.lock")

    #: The versions of the packages that stages depend on.
    packages = _Below("packages.yaml")

    #: Data, log and state of the embedded object store, git-ignored.
    store = _Below(".bucket")

    #: Which process is the embedded store, and where it answers.
    store_state = _Below(".bucket/state.json")

    #: What the embedded store said since its last start; the run before is in `.log.1`.
    store_log = _Below(".bucket/store.log")

    #: Held while a command starts or stops the embedded store.
    store_lock = _Below(".bucket/lock")

    #: DVC's database of file hashes for this clone, git-ignored.
    dvc_site_cache = _Below(".dvc/tmp/site")

    #: The project's own templates for `dvc plots`.
    plot_templates = _Below(".dvc/plots")

    #: What DVC reads from an AWS configuration file only, git-ignored.
    aws_config = _Below(".dvc/tmp/aws-config")

    #: Which objects `bucket verify --deep` has read and found right, git-ignored.
    verified = _Below(".dvc/tmp/bucket-verified")

    #: Which commands had nothing to do, and what everything looked like then, git-ignored.
    in_order = _Below(".dvc/tmp/bucket-in-order")

    #: What the last `push` left at the remote, git-ignored.
    sent = _Below(".dvc/tmp/bucket-sent")

    #: What DVC tracks, and what the files that say it looked like then, git-ignored.
    tracked = _Below(".dvc/tmp/bucket-tracked")

    #: Which files the commands with an output option have written, git-ignored.
    written = _Below(".dvc/tmp/bucket-written")

    #: What `BUCKET_LOG=debug` logs, git-ignored.
    log = _Below(".dvc/tmp/bucket.log")
