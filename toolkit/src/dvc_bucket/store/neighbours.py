"""Stores of other clones on this machine: whose they are, and whether this clone may use one."""

import secrets
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import psutil
from pydantic import SecretStr

from dvc_bucket.base.errors import ServerError
from dvc_bucket.connection.settings import Settings
from dvc_bucket.store import seaweed
from dvc_bucket.store.security import Guard, ports_of

#: For the look whether a port's owner is a store that we may use: strangers may not answer at all.
PROBE_SECONDS = 1.0


def is_shared(settings: Settings) -> bool:
    """Whether another program serves our bucket there, to our key and to no other secret.

    That is a store in use: of another clone, or one that the user runs by hand.
    """
    stranger = settings.model_copy(update={"secret_access_key": SecretStr(secrets.token_hex(20))})
    return (
        seaweed.signed("HEAD", settings, PROBE_SECONDS) == HTTPStatus.OK
        and seaweed.signed("HEAD", stranger, PROBE_SECONDS) == HTTPStatus.FORBIDDEN
    )


def clone_at(port: int) -> Path | None:
    """The clone whose embedded store serves a port; None if none that we may look into does."""
    return next((folder.parent for _, folder in _at(port)), None)


def owner_of(port: int) -> str:
    """Who has a port that this clone's store wanted, for a message."""
    clone = clone_at(port)
    return f"the store of {clone}" if clone else "another program"


def check(settings: Settings) -> None:
    """Check the store of another clone as this clone's own, if that is what serves the endpoint.

    Raises:
        ServerError: it lets other users in.
    """
    for process, folder in _at(settings.port):
        try:
            Guard(process, folder).is_complete()
        except ServerError as error:
            raise ServerError(
                f"The store at {settings.endpoint_url} belongs to {folder.parent}. {error} Then "
                f"run `make stop` and `make serve` in {folder.parent}."
            ) from None


def _at(port: int) -> Iterator[tuple[psutil.Process, Path]]:
    """The store whose S3 API has a port, with its working folder."""
    for process, folder in seaweed.stores():
        try:
            is_there = ports_of(process).get(port) == "s3"
        except psutil.Error:
            continue
        if is_there:
            yield process, folder
