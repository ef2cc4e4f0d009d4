"""The answers to the doctor's requests, each try counted: how often the store says "later"."""

from collections import Counter
from typing import Any

from dvc_bucket.jobs.doctor.check import Skip

#: Statuses and codes with which a store says that it is asked too much. Source of the codes: Amazon
#: S3 API Reference, "Error responses"; 509 is of gateways.
STATUSES = frozenset({"429", "503", "509"})
CODES = frozenset(
    {"SlowDown", "TooManyRequests", "Throttling", "ThrottlingException", "RequestLimitExceeded"}
    | {"ServiceUnavailable", "BandwidthLimitExceeded"}
)


class ThrottledError(Skip):
    """A check that the store did not let us make. The check `throttling` says more."""


class AnswerCounts:
    """Counts the answers of a store.

    Attributes:
        count: of all, each try.
        throttled: how many said "later", by status and code.
        gave_up: whether a check could not be made for that.
    """

    def __init__(self) -> None:
        self.count = 0
        self.throttled = Counter[str]()
        self.gave_up = False

    def note(self, status: int, code: str = "") -> None:
        """Count an answer by its status and S3 code."""
        self.count += 1
        if is_throttle(code or str(status)):
            self.throttled[f"{status} {code}".rstrip()] += 1

    def note_botocore(self, response_dict: Any, parsed_response: Any, **_: Any) -> None:
        """The same, as botocore's event `response-received` has it for each try."""
        if response_dict:
            code = str((parsed_response or {}).get("Error", {}).get("Code", ""))
            self.note(response_dict["status_code"], "" if code.isdigit() else code)

    def give_up(self) -> ThrottledError:
        """What a check raises whose request was never served."""
        self.gave_up = True
        return ThrottledError("the store asked for fewer requests: see throttling")

    def __str__(self) -> str:
        """How many said "later", of how many, and in which words mostly."""
        [(said, _)] = self.throttled.most_common(1)
        return f"{self.throttled.total()} of {self.count} requests were answered {said}"


def is_throttle(code: str) -> bool:
    """Whether an S3 code, or a status without one, says that the store is asked too much."""
    return code in CODES | STATUSES
