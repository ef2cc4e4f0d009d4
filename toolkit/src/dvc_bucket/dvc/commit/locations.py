"""Where the bytes of a commit's data are: in git, in the crate, or on DVC's remote."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from configobj import ConfigObj

from dvc_bucket.base.paths import CONFIG
from dvc_bucket.dvc import hashes as dvc_hashes
from dvc_bucket.dvc.commit.revision import Revision
from dvc_bucket.dvc.commit.run import Run
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.snapshot import PathRecord


@dataclass(frozen=True)
class Places:
    """Where things are.

    Attributes:
        revision: the commit.
        run: the recorded runs of its stages.
        remotes: sections of DVC's configuration, by the remote's name.
        default: name of the remote that is meant where none is named; may be empty.
    """

    revision: Revision
    run: Run
    remotes: Mapping[str, Mapping[str, Any]]
    default: str
    _in_git: dict[PathRecord, bool] = field(default_factory=dict)

    def is_in_git(self, item: PathRecord) -> bool:
        """Whether the commit itself has the item, as it was read or written."""
        if item not in self._in_git:
            self._in_git[item] = item.hash == self._hash(item)
        return self._in_git[item]

    def has_changed(self, item: PathRecord) -> bool:
        """Whether the commit has something else at the item's path."""
        folder = f"{item.path}/"
        is_there = item.path in self.revision.files or any(
            path.startswith(folder) for path in self.revision.files
        )
        is_output = self.run.output(item.path) is not None
        # The folder of an output can have files in git beside it, such as a .gitignore.
        return is_there and not self.is_in_git(item) and not (item.is_directory and is_output)

    def address(self, item: PathRecord) -> str:
        """Where `dvc push` puts the item; empty where it does not, or that is not known.

        Of a directory: the list of its files.
        """
        out = self.run.output(item.path)
        is_pushed = out and out.is_cached and out.is_pushed and not out.is_imported
        if not out or not is_pushed or not item.hash:
            return ""
        remote = self.remotes.get(out.remote or self.default, {})
        url = str(remote.get("url") or "")
        by_name = ("worktree", "version_aware")
        if "://" not in url or any(str(remote.get(key)).lower() == "true" for key in by_name):
            return ""
        try:
            name = ids.encode(item.hash, legacy=item.is_legacy)
        except ValueError:
            return ""
        return f"{url.rstrip('/')}/{ids.path(name)}"

    def _hash(self, item: PathRecord) -> str:
        """The hash of what the commit has at the item's path; empty where it has nothing."""
        if not item.is_directory:
            if item.path not in self.revision.files:
                return ""
            return dvc_hashes.of_bytes(self.revision.read(item.path), legacy=item.is_legacy)
        folder = f"{item.path}/"
        return dvc_hashes.of_directory(
            (name.removeprefix(folder), dvc_hashes.of_bytes(self.revision.read(name)))
            for name in self.revision.files
            if name.startswith(folder)
        )


def of(revision: Revision, run: Run) -> Places:
    """The places of a revision's data."""
    config = ConfigObj(revision.text(CONFIG).splitlines(), interpolation=False)
    remotes = {
        name.strip("'").removeprefix('remote "').removesuffix('"'): section
        for name, section in config.items()
        if isinstance(section, Mapping) and "remote" in name
    }
    return Places(revision, run, remotes, str((config.get("core") or {}).get("remote") or ""))
