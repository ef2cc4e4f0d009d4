"""The remote: which one is meant, how it is reached, and everything that it lists."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import SecretStr

from bucket import dvc_config, dvc_remote
from bucket.errors import ProjectError
from bucket.paths import Project
from bucket.settings import Settings
from bucket.transfer import naming_failures
from bucket.verify import ids

if TYPE_CHECKING:
    from obstore.store import S3Store

#: Objects a request: what S3 gives at most.
BATCH = 1000

#: What an ETag says of the content: it is its MD5, it is another MD5, it is none.
AS_NAMED, OTHER, NO_MD5 = 1, 0, -1


@dataclass(frozen=True)
class Remote:
    """A remote of DVC in S3, and the connection to it.

    Attributes:
        name: in DVC's configuration.
        settings: the connection, with the remote's bucket.
        prefix: of its keys in the bucket; no slash at its end.
    """

    name: str
    settings: Settings
    prefix: str

    @classmethod
    def of(cls, project: Project, settings: Settings, name: str | None) -> "Remote":
        """The remote `name`; None for the default one, which the settings are made for.

        Raises:
            ProjectError: there is no such remote, it is not in S3, or its layout is another.
            SettingsError: the settings are for another bucket than the default remote's.
        """
        default = dvc_config.default_remote(project).name.removeprefix('remote "')[:-1]
        name = name or default
        options = _options(project, name)
        for option in ("worktree", "version_aware"):
            if str(options.get(option, "false")).lower() == "true":
                raise ProjectError(
                    f"The remote {name} is one of `{option}`: it keeps files by their names and "
                    "versions, not by hash, and `bucket verify` knows the layout by hash only."
                )
        if name == default:
            prefix = dvc_remote.remote_prefix(project, settings)
            return cls(name, settings, prefix)
        bucket, prefix = dvc_config.split(str(options.get("url", "")))
        known = _known(options) | {"bucket_name": bucket}
        return cls(name, settings.model_copy(update=known), prefix)

    @property
    def address(self) -> str:
        """Bucket and prefix as people write them."""
        return f"s3://{self.settings.bucket_name}/{self.prefix}".rstrip("/")

    def key(self, name: bytes) -> str:
        """Key of an object in the bucket."""
        return "/".join(filter(None, (self.prefix, ids.path(name))))

    @cached_property
    def store(self) -> "S3Store":
        """The client."""
        return self.settings.obstore()

    def check(self) -> None:
        """Do nothing if the store answers.

        Raises:
            TransferError: the store refused or could not be reached.
        """
        import obstore

        with naming_failures(f"list {self.address}", self.settings):
            next(iter(obstore.list(self.store, self.prefix or None, chunk_size=1)), None)


class Listing:
    """Everything that the remote lists, as arrays in the order of the objects' names.

    Attributes:
        names: of the objects, sorted.
        sizes: in bytes.
        tags: what the ETags say of the contents.
        marks: a number for each version of each object: another one when it is written again.
        odd: keys in the folder of the objects that are none.
        odd_size: bytes of those.
    """

    def __init__(self, remote: Remote, *, with_legacy: bool) -> None:
        """Ask the store.

        Args:
            remote: which one.
            with_legacy: look for objects of the layout before DVC 3 too, which lie among
                everything else that is below the prefix.

        Raises:
            TransferError: the store refused or could not be reached.
        """
        import obstore

        self.odd: list[str] = []
        self.odd_size = 0
        names, sizes, tags, marks = bytearray(), array("q"), array("b"), array("Q")
        root = f"{remote.prefix}/" if remote.prefix else ""
        below = root + ("" if with_legacy else ids.FOLDER)
        salt = f"{remote.settings.endpoint_url}\0{remote.settings.bucket_name}\0"
        with naming_failures(f"list {remote.address}", remote.settings):
            for batch in obstore.list(remote.store, below or None, chunk_size=BATCH):
                for item in batch:
                    name = ids.from_path(item["path"][len(root) :])
                    if name is None:
                        self._note_odd(item, root)
                        continue
                    names += name
                    sizes.append(item["size"])
                    tags.append(_says(item["e_tag"], name))
                    marks.append(_mark(salt, item))
        unsorted = np.frombuffer(bytes(names), ids.TYPE)
        order = np.argsort(unsorted, kind="stable")
        self.names: ids.Ids = unsorted[order]
        self.sizes: NDArray[np.int64] = np.frombuffer(sizes, np.int64)[order]
        self.tags: NDArray[np.int8] = np.frombuffer(tags, np.int8)[order]
        self.marks: NDArray[np.uint64] = np.frombuffer(marks, np.uint64)[order]

    def __len__(self) -> int:
        return len(self.names)

    def find(self, names: ids.Ids) -> NDArray[np.intp]:
        """Where in the arrays the objects are; -1 for those that are not on the remote."""
        if not len(self.names):
            return np.full(len(names), -1, np.intp)
        places = np.searchsorted(self.names, names)
        places[places == len(self.names)] = 0
        return np.where(self.names[places] == names, places, -1)

    def place(self, name: bytes) -> int:
        """Where in the arrays one object is; -1 if it is not on the remote."""
        return int(self.find(np.array([name], ids.TYPE))[0])

    def _note_odd(self, item: Any, root: str) -> None:
        path = item["path"]
        # An empty "folder" lingers in some stores' listings after its last object went.
        if path[len(root) :].startswith(ids.FOLDER) and not (item["size"] == 0 and "." not in path):
            self.odd.append(path)
            self.odd_size += item["size"]


def array_of(names: Iterable[bytes]) -> ids.Ids:
    """Names as an array."""
    return np.frombuffer(b"".join(names), ids.TYPE)


def _says(tag: str | None, name: bytes) -> int:
    """What an ETag says of the content: it is its MD5 unless it is encrypted or came in parts."""
    plain = (tag or "").strip('"').lower()
    if plain == ids.md5(name):
        return AS_NAMED
    return OTHER if len(plain) == len(ids.md5(name)) and "-" not in plain else NO_MD5


def _mark(salt: str, item: Any) -> int:
    version = f"{salt}{item['path']}\0{item['size']}\0{item['e_tag']}\0{item['last_modified']}"
    return int.from_bytes(blake2b(version.encode(), digest_size=8).digest(), "big")


def _options(project: Project, name: str) -> dict[str, Any]:
    """What DVC's configuration says of a remote: tracked, then this clone's own.

    Raises:
        ProjectError: it does not know the remote.
    """
    section = f'remote "{name}"'
    files = [dvc_config.read(path) for path in (project.dvc_config, project.dvc_config_local)]
    if not any(section in file for file in files):
        raise ProjectError(
            f"DVC's configuration has no remote {name}. `dvc remote list` shows the names."
        )
    return {key: value for file in files for key, value in file.get(section, {}).items()}


def _known(options: dict[str, Any]) -> dict[str, Any]:
    """The connection as far as a remote's own options say it; the rest is the settings'."""
    known: dict[str, Any] = {}
    if endpoint := options.get("endpointurl"):
        known |= {"endpoint_url": str(endpoint).rstrip("/"), "is_aws": False}
    if profile := options.get("profile"):
        known |= {"profile": profile, "access_key_id": None, "secret_access_key": None}
    if key := options.get("access_key_id"):
        known |= {"access_key_id": key, "session_token": None}
        known |= {"secret_access_key": SecretStr(str(options.get("secret_access_key", "")))}
    if token := options.get("session_token"):
        known |= {"session_token": SecretStr(str(token))}
    if region := options.get("region"):
        known |= {"region": region}
    return known
