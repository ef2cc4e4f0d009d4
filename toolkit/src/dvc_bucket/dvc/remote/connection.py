"""A remote of DVC in S3: its name, the keys of its objects, and the client that reaches it."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import dvc_config as config
from dvc_bucket.connection.settings import CREDENTIALS, Settings
from dvc_bucket.dvc import connected
from dvc_bucket.dvc.remote import ids
from dvc_bucket.transfer.errors import naming_failures

if TYPE_CHECKING:
    from dvc_bucket.connection.clients.patient import PatientStore


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
    def of(
        cls, project: Project, settings: Settings, name: str | None, *, is_own: bool = True
    ) -> "Remote":
        """The remote `name`; None for the default one, which the settings are made for.

        Args:
            project: that has the remote.
            settings: the connection of the person.
            name: in DVC's configuration.
            is_own: the settings are this project's; else its configuration says where the remote
                is, and the settings who asks.

        Raises:
            ProjectError: there is no such remote, it is not in S3, or its layout is another.
            SettingsError: the settings are for another bucket than the default remote's.
        """
        default, _ = config.chosen_remote(project)
        name = name or default
        options = _options(project, name)
        for option in ("worktree", "version_aware"):
            if str(options.get(option, "false")).lower() == "true":
                raise ProjectError(
                    f"The remote {name} uses `{option}`, which stores files by name and version. "
                    "This command supports only remotes that store files by hash."
                )
        if name == default and is_own and config.is_of_project(project):
            return cls(name, settings, connected.remote_prefix(project, settings))
        who = config.of_whom(project) if name == default else f" {name}"
        bucket, prefix = config.split(str(options.get("url", "")), who)
        update = _settings_of(options) | {"bucket_name": bucket}
        return cls(name, settings.model_copy(update=update), prefix)

    @property
    def address(self) -> str:
        """Bucket and prefix as people write them."""
        return f"s3://{self.settings.bucket_name}/{self.prefix}".rstrip("/")

    def key(self, name: bytes) -> str:
        """Key of an object in the bucket."""
        return "/".join(filter(None, (self.prefix, ids.path(name))))

    @cached_property
    def store(self) -> "PatientStore":
        """The client."""
        return self.settings.obstore()

    def check(self) -> None:
        """Do nothing if the store answers.

        Raises:
            TransferError: the store refused or could not be reached.
        """
        with naming_failures(f"list {self.address}", self.settings):
            next(iter(self.store.list(self.prefix or None, chunk_size=1)), None)


def _options(project: Project, name: str) -> dict[str, Any]:
    """The options of a remote in DVC's configuration.

    Raises:
        ProjectError: the configuration has no such remote.
    """
    if options := config.options_of(project, name):
        return options
    raise ProjectError(
        f"DVC's configuration has no remote {name}. `dvc remote list` shows the names."
    )


def _settings_of(options: dict[str, Any]) -> dict[str, Any]:
    """The settings of the connection that a remote's own options replace."""
    update: dict[str, Any] = {}
    if endpoint := options.get("endpointurl"):
        update |= {"endpoint_url": str(endpoint).rstrip("/"), "is_aws": False}
    if profile := options.get("profile"):
        update |= {"profile": profile, "access_key_id": None, "secret_access_key": None}
    if key := options.get("access_key_id"):
        secret = SecretStr(str(options.get("secret_access_key", "")))
        update |= {"access_key_id": key, "secret_access_key": secret, "session_token": None}
    if token := options.get("session_token"):
        update["session_token"] = SecretStr(str(token))
    if config.is_true(options.get(config.ANONYMOUS)):
        update |= {"anonymous": True, "profile": None, **dict.fromkeys(CREDENTIALS)}
    if region := options.get("region"):
        update["region"] = region
    return update
