"""Where imported data comes from, and whose keys reach the bucket of another project.

Keys go to the endpoint that a person named with them, and to no other: our own to our own, those
of `[tool.dvc-bucket.sources]` to theirs. The repository of the other project only says in which
bucket, and below which prefix, its data is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from dvc_bucket.base.errors import SettingsError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import dvc_config as config
from dvc_bucket.connection.settings import Settings, others


@dataclass(frozen=True)
class Origin:
    """What `dvc import` notes of imported data.

    Attributes:
        url: of the other repository.
        rev: the commit that it was taken from.
        path: there, from its project's root.
        remote: the name of a remote there; None for its default one.
    """

    url: str
    rev: str | None
    path: str
    remote: str | None = None

    def __str__(self) -> str:
        return f"{shown(self.url)}@{(self.rev or 'HEAD')[:7]}"


def shown(text: str) -> str:
    """A text without the users and tokens that addresses in it may have."""
    return re.sub(r"(?<=://)[^/\s]*@", "", text)


def reach(
    here: Project | None, url: str, stated: Mapping[str, str], own: Settings | None
) -> Settings | None:
    """The connection to a remote of another project; None where no keys are for its endpoint.

    Args:
        here: our own clone; None outside of one.
        url: of the other repository.
        stated: the options that the repository has in git for the remote.
        own: our own connection; None if there is none.

    Raises:
        SettingsError: the keys that were named for it are not there.
        ProjectError: the remote is not in S3.
    """
    bucket, _ = config.split(str(stated.get("url", "")), f" of {url}")
    endpoint = str(stated.get("endpointurl", "")).rstrip("/")
    if here and (settings := others.named(here, url, bucket, endpoint)):
        return settings
    if own and endpoint in {"", own.endpoint_url, _endpoint_in_git(here)}:
        return own.model_copy(update={"bucket_name": bucket})
    if config.is_true(stated.get(config.ANONYMOUS)):
        return others.public(url, bucket, endpoint)
    return None


def own_or_none(project: Project) -> Settings | None:
    """A project's connection; None where it is not set up."""
    try:
        return Settings.load(project)
    except SettingsError:
        return None


def _endpoint_in_git(here: Project | None) -> str:
    """The endpoint in our own `.dvc/config`, for which the settings may name another address.

    An embedded store does not always find its port free.
    """
    return str(config.default_remote(here).get("endpointurl", "")).rstrip("/") if here else ""
