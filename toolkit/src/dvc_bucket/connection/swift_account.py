"""Listings of a public container in OpenStack Swift's own API; failures are as obstore raises them.

Swift's S3 API answers signed requests only. What anybody may read is below `/v1/AUTH_...`. There an
object is read as in S3, with the same headers and ranges, and a listing is JSON.

Source: Swift, "Object Storage API", GET /v1/{account}/{container}.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from obstore import exceptions

from dvc_bucket.connection import wire
from dvc_bucket.connection.by_botocore import KINDS

if TYPE_CHECKING:
    from obstore import ListResult, ObjectMeta

    from dvc_bucket.connection.settings import Settings

#: Names to a page, at most: the limit of a Swift as it comes.
PAGE = 10_000

#: Bytes of a page, at most: a name has 1024 bytes, in JSON up to six times as many.
PAGE_BYTES = 64 * 1024 * 1024

#: The codes of S3 by which the rest of the toolkit tells refusals.
CODES = {401: "AccessDenied", 403: "AccessDenied", 404: "NoSuchBucket"}


def batches(
    settings: "Settings", prefix: str | None, offset: str | None, size: int
) -> "Iterator[list[ObjectMeta]]":
    """Everything below a prefix in order of the names, in batches of up to `size`.

    Args:
        settings: the connection.
        prefix: a folder; None for all of the container.
        offset: names up to this one are left out.
        size: of a batch.

    Raises:
        FileNotFoundError, BaseError: as obstore.
    """
    below, marker = _below(prefix), offset or ""
    while page := _page(settings, {"prefix": below, "marker": marker}, size):
        marker = page[-1]["name"]
        # Markers of folders are no objects to obstore either.
        if batch := [_object(entry) for entry in page if not entry["name"].endswith("/")]:
            yield batch


def level(settings: "Settings", prefix: str | None = None) -> "ListResult[Any]":
    """What is right below a prefix; errors as of `batches`."""
    folders: list[str] = []
    objects: list[ObjectMeta] = []
    marker = ""
    query = {"prefix": _below(prefix), "delimiter": "/"}
    while page := _page(settings, query | {"marker": marker}, PAGE):
        marker = page[-1].get("name") or page[-1]["subdir"]
        folders += [entry["subdir"].rstrip("/") for entry in page if "subdir" in entry]
        named = [entry for entry in page if not entry.get("name", "/").endswith("/")]
        objects += [_object(entry) for entry in named]
    return {"common_prefixes": folders, "objects": objects}


def _below(prefix: str | None) -> str:
    return f"{prefix.rstrip('/')}/" if prefix else ""


def _page(settings: "Settings", query: dict[str, str], size: int) -> list[dict[str, Any]]:
    """The next names of a listing; none at its end."""
    asked = {**query, "format": "json", "limit": str(min(size, PAGE))}
    answer = wire.get(settings, asked, body_bytes=PAGE_BYTES)
    if answer.error:
        raise exceptions.GenericError(f"HTTP error: {answer.error}")
    if answer.status not in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}:
        kind = KINDS.get(answer.status, exceptions.GenericError)
        code = CODES.get(answer.status, "")
        raise kind(f"status code: {answer.status} <Code>{code}</Code>")
    try:
        page = json.loads(answer.text or "[]")
        return [entry for entry in page if entry.get("name") or entry["subdir"]]
    except (ValueError, TypeError, AttributeError, KeyError):
        raise exceptions.GenericError("the answer is no listing of Swift's") from None


def _object(entry: dict[str, Any]) -> "ObjectMeta":
    return {
        "path": entry["name"],
        "last_modified": datetime.fromisoformat(entry["last_modified"]).replace(tzinfo=UTC),
        "size": entry["bytes"],
        "e_tag": entry["hash"],
        "version": None,
    }
