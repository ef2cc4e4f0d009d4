"""Objects of a remote that may not be listed, asked for one by one."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from obstore.exceptions import PermissionDeniedError

from dvc_bucket.connection.retries import interruptible
from dvc_bucket.dvc.remote import Remote
from dvc_bucket.transfer import unlisted

if TYPE_CHECKING:
    from obstore import ObjectMeta

#: Requests at once.
REQUESTS = 32


def look_up(remote: Remote, names: Iterable[bytes]) -> "tuple[Sequence[ObjectMeta], set[bytes]]":
    """What the store says of objects, and those of which it refuses to say anything.

    Raises:
        FileNotFoundError, BaseError: as obstore.
    """

    def ask(name: bytes) -> "ObjectMeta | bytes | None":
        key = remote.key(name)
        try:
            return remote.store.head(key)
        except FileNotFoundError:
            return None
        except PermissionDeniedError as error:
            if not unlisted.may_be_missing(remote.store, key, error):
                raise
            return name

    with ThreadPoolExecutor(REQUESTS) as pool, interruptible():
        answers = list(pool.map(ask, dict.fromkeys(names)))
    there = [answer for answer in answers if answer and not isinstance(answer, bytes)]
    return there, {answer for answer in answers if isinstance(answer, bytes)}
