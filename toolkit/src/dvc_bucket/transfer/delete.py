"""Objects deleted from a bucket: many with one request, or one by one where the store refuses that.

Stores differ in what they demand of the request for many: Swift before 2.34 wants a Content-MD5,
which obstore sends and today's botocore does not; others have no such request at all.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from dvc_bucket.connection.objects import ObjectRef
from dvc_bucket.connection.retries import interruptible
from dvc_bucket.connection.weather import STATUS
from dvc_bucket.transfer.errors import naming_failures, refused

#: Statuses that say something of the connection or the keys, and nothing of the request.
NOT_OF_THE_REQUEST = {"401", "403", "404", "500", "502", "503", "504"}

#: What obstore says where the store took the request and refused one of its objects.
OF_ONE = "DeleteObjects request failed for key"


def delete(places: Sequence[ObjectRef], delete_one: Callable[[str], None], threads: int) -> None:
    """Delete objects of one bucket; those that are gone already are no failure.

    Args:
        places: where they are.
        delete_one: deletes the object of a path, `bucket/key`, by another client.
        threads: how many of those at a time.

    Raises:
        StoreError: the store refuses, or does not answer.
    """
    from obstore.exceptions import BaseError

    first = places[0]
    with naming_failures(f"delete {first.url}", first.settings):
        try:
            first.store.delete([place.key for place in places])
        except BaseError as error:
            if not _is_of_the_request(str(error)):
                raise
        else:
            return
    with ThreadPoolExecutor(threads) as pool, interruptible():
        list(pool.map(lambda place: _one(place, delete_one), places))


def _is_of_the_request(text: str) -> bool:
    """Whether the store refuses the request for many, in obstore's words, and may take others."""
    status = STATUS.search(text)
    return OF_ONE in text or bool(status and status[1] not in NOT_OF_THE_REQUEST)


def _one(place: ObjectRef, delete_one: Callable[[str], None]) -> None:
    try:
        delete_one(f"{place.bucket}/{place.key}")
    except FileNotFoundError:
        return
    except PermissionError as error:
        raise refused(f"delete {place.url}", place.settings) from error
