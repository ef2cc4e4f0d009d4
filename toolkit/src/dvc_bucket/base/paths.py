"""Where things are: the only module that knows a path inside the project."""

from dataclasses import dataclass
from pathlib import Path

from dvc_bucket.base.errors import ProjectError

#: What makes a folder a project of DVC, from that folder.
CONFIG = ".dvc/config"

#: Names of the variables by which clusters offer fast disks, the most usual first.
FAST_DISKS = ("SCRATCH", "TMPDIR")


@dataclass(frozen=True)
class Project:
    """The folders and files of one checkout.

    Attributes:
        root: absolute path of the folder that holds `.dvc`.
    """

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> "Project":
        """Return the project that `start` (default: the current folder) lies in.

        Raises:
            ProjectError: no folder from `start` upwards holds `.dvc/config`.
        """
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if (folder / ".dvc" / "config").is_file():
                return cls(folder)
        raise ProjectError(
            f"{here} is not inside a DVC project (no .dvc/config here or above). "
            "Change into your clone of the project and run the command again."
        )

    @property
    def env_file(self) -> Path:
        """The connection settings and credentials, git-ignored, mode 0600."""
        return self.root / ".env"

    @property
    def env_example(self) -> Path:
        """The tracked pattern that `.env` is made from."""
        return self.root / ".env.example"

    @property
    def dvc_config(self) -> Path:
        """DVC's tracked configuration: remote, endpoint, link types; never a secret."""
        return self.root / ".dvc" / "config"

    @property
    def dvc_config_local(self) -> Path:
        """DVC's git-ignored overrides for this clone alone."""
        return self.root / ".dvc" / "config.local"

    @property
    def dvc_lock(self) -> Path:
        """The hash of everything that the stages read and wrote when they last ran."""
        return self.root / "dvc.lock"

    @property
    def store(self) -> Path:
        """Data, log and state of the embedded object store, git-ignored."""
        return self.root / ".bucket"

    @property
    def store_state(self) -> Path:
        """Which process is the embedded store, and where it answers."""
        return self.store / "state.json"

    @property
    def store_log(self) -> Path:
        """What the embedded store said since its last start; the run before is in `.log.1`."""
        return self.store / "store.log"

    @property
    def store_lock(self) -> Path:
        """Held while a command starts or stops the embedded store."""
        return self.store / "lock"

    @property
    def dvc_site_cache(self) -> Path:
        """DVC's database of file hashes for this clone, git-ignored."""
        return self.root / ".dvc" / "tmp" / "site"

    @property
    def plot_templates(self) -> Path:
        """The project's own templates for `dvc plots`."""
        return self.root / ".dvc" / "plots"

    @property
    def aws_config(self) -> Path:
        """What DVC reads from an AWS configuration file only, git-ignored."""
        return self.root / ".dvc" / "tmp" / "aws-config"

    @property
    def verified(self) -> Path:
        """Which objects `bucket verify --deep` has read and found right, git-ignored."""
        return self.root / ".dvc" / "tmp" / "bucket-verified"

    @property
    def pulled(self) -> Path:
        """What everything looked like after the last `bucket pull`, git-ignored."""
        return self.root / ".dvc" / "tmp" / "bucket-pulled"

    @property
    def written(self) -> Path:
        """Which files the commands with an output option have written, git-ignored."""
        return self.root / ".dvc" / "tmp" / "bucket-written"
