"""What obstore cannot ask or take, asked by botocore; failures are as obstore raises them."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from obstore import exceptions

from dvc_bucket.connection import clients

if TYPE_CHECKING:
    from dvc_bucket.connection.settings import Settings

#: obstore's exceptions for statuses; for others its general one.
KINDS: dict[int, type[Exception]] = {
    401: exceptions.UnauthenticatedError,
    403: exceptions.PermissionDeniedError,
    404: FileNotFoundError,
    412: exceptions.PreconditionError,
}

_making = threading.Lock()


def client(settings: "Settings") -> Any:
    """A client of botocore, made once in a process: that and its import are slow.

    A fork's child has its own: the connections of its parent are the parent's.
    """
    with _making:
        return _made(settings, os.getpid())


@contextmanager
def as_obstore_raises() -> Iterator[None]:
    """A block that asks botocore: its exceptions become obstore's, so that one place tells both.

    Raises:
        FileNotFoundError, BaseError: as obstore.
    """
    try:
        yield
    except exceptions.BaseError:
        raise
    except Exception as error:  # the edge to botocore, whose exceptions have no common base
        raise _as_of_obstore(error) from error


def _as_of_obstore(error: Exception) -> Exception:
    response = getattr(error, "response", None)
    if not response:
        return exceptions.GenericError(f"HTTP error: {type(error).__name__}")
    status = response["ResponseMetadata"]["HTTPStatusCode"]
    code = response.get("Error", {}).get("Code", "")
    kind = KINDS.get(status, exceptions.GenericError)
    return kind(f"status code: {status} <Code>{code}</Code>")


@cache
def _made(settings: "Settings", _: int) -> Any:
    return clients.botocore(settings)
