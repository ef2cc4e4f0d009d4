"""A key that may read and write objects, and not list the bucket (s3:ListBucket).

To such a key S3 answers 403 for what is merely missing. Other objects it can use: what is not there
is told from what is refused as far as the store says.
"""

import re
from typing import TYPE_CHECKING

from dvc_bucket.transfer.errors import fault_of

if TYPE_CHECKING:
    from dvc_bucket.connection.clients.patient import PatientStore

#: What S3 answers to a request that is well signed, and not allowed.
NOT_ALLOWED = re.compile("AccessDenied|AllAccessDisabled")

#: What a person is told.
SAID = (
    "this key may not list the bucket, so the store does not distinguish missing objects from "
    "refused ones; refused objects count as missing. Ask the bucket's owner for s3:ListBucket."
)


def is_refusal(error: BaseException) -> bool:
    """Whether a store refuses a request of a key that it knows."""
    fault = fault_of(error)
    return bool(fault and NOT_ALLOWED.fullmatch(fault.code))


def may_be_missing(store: "PatientStore", key: str, error: BaseException) -> bool:
    """Whether an object may be missing that a store refuses to tell of.

    Args:
        store: a client.
        key: of the object.
        error: the answer to a HEAD request, which has no code: a request with one is made.
    """
    fault = fault_of(error)
    if fault is None or fault.kind != "refused":
        return False
    try:
        store.get(key)
    except FileNotFoundError:
        return True
    except Exception as again:  # the edge to the client
        return is_refusal(again)
    return False
