"""Set-ups whose fault is what a key may do, or what becomes of the bytes."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import obstore

from tests.doctor.case import Case, SetUps
from tests.doctor.fronts import Ask, Behaviour, Middle, Reply, Request, signer
from tests.stores.tls import Front

SET_UPS = SetUps()
add = SET_UPS.add

SLOW_DOWN = Reply(
    503,
    {"Content-Type": "application/xml"},
    b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
)

NO_CHECKSUM_SETTINGS = r"^AWS_(REQUEST|RESPONSE)_CHECKSUM_.*\n"


def _as(case: Case, user: str) -> None:
    case.connect(case.world.weed.settings(user), case.world.weed_tls)


def _through(case: Case, behaviour: Behaviour) -> None:
    """SeaweedFS behind TLS, with something in between that is not quite right."""
    middle = case.enter(Middle(behaviour, case.world.weed.port))
    url = case.enter(Front(middle.port, case.world.good)).url
    case.connect(case.world.weed.settings(), url)


@add("key of another bucket only", "may list", "may write", says="may not list the bucket")
def _(case: Case) -> None:
    _as(case, "stranger")


@add("write-only key", "may list", "may read", "multipart", says="may not list the bucket")
def _(case: Case) -> None:
    _as(case, "writer")


@add("key that may not delete", "may delete", says="this key may not delete")
def _(case: Case) -> None:
    case.connect(case.world.weed.session("NoDelete"), case.world.weed_tls)


@add("multipart refused", "multipart", says="the store answers NotImplemented")
def _(case: Case) -> None:
    body = b"<Error><Code>NotImplemented</Code><Message>Not here.</Message></Error>"
    refusal = Reply(501, {"Content-Type": "application/xml"}, body)
    _through(
        case,
        lambda request, ask: refusal if request.path.endswith("?uploads") else ask(request),
    )


@add("a store that returns other bytes", "may read", "multipart", says="byte 0 differs")
def _(case: Case) -> None:
    def flip(request: Request, ask: Ask) -> Reply:
        reply = ask(request)
        is_object = request.method == "GET" and "?" not in request.path.split("x-id=")[0]
        if not is_object or not reply.body or request.path == "/":
            return reply
        return replace(reply, body=bytes([reply.body[0] ^ 1]) + reply.body[1:])

    _through(case, flip)


def _is_framed(request: Request) -> bool:
    return "STREAMING" in request.header("x-amz-content-sha256")


@add(
    "a gateway that stores the framing of uploads",
    "checksum settings",
    says="keeps bytes other than",
)
def _(case: Case) -> None:
    """It signs again for the store behind, and knows nothing of trailers: the body is the body."""
    sign = signer(case.world.weed.settings())
    _through(case, lambda request, ask: ask(sign(request)))
    case.edit(".env", NO_CHECKSUM_SETTINGS, "")


@add(
    "a store that refuses checksum trailers", "checksum settings", says="checksums (NotImplemented)"
)
def _(case: Case) -> None:
    """A front gives the answer of Swift 2.33, which real ones still run."""
    body = b"<Error><Code>NotImplemented</Code><Message>STREAMING-...-TRAILER</Message></Error>"
    refusal = Reply(501, {"Content-Type": "application/xml"}, body)
    _through(case, lambda request, ask: refusal if _is_framed(request) else ask(request))
    case.edit(".env", NO_CHECKSUM_SETTINGS, "")


@add(
    "a store that throttles now and then", says=" were answered 503 SlowDown", warns=("throttling",)
)
def _(case: Case) -> None:
    """One request in three, and not the next one, is asked to slow down."""
    numbers = itertools.count(1)
    _through(case, lambda request, ask: ask(request) if next(numbers) % 3 else SLOW_DOWN)


@add("a store that throttles multipart uploads", "throttling", says="requests were answered 429")
def _(case: Case) -> None:
    refusal = Reply(429, {})
    _through(
        case, lambda request, ask: refusal if request.path.endswith("?uploads") else ask(request)
    )


@add("a store without range requests", warns=("range requests",), says="no range requests")
def _(case: Case) -> None:
    """The front answers with what was put there, as a cache in front of a store can."""
    bodies: dict[str, bytes] = {}

    def whole(request: Request, ask: Ask) -> Reply:
        if request.method == "PUT":
            bodies[request.path] = request.body
        return Reply(200, {}, bodies[request.path]) if request.header("range") else ask(request)

    _through(case, whole)


@add("a full bucket", "may write", says="the bucket is full (QuotaExceeded)")
def _(case: Case) -> None:
    body = b"<Error><Code>QuotaExceeded</Code><Message>Quota.</Message></Error>"
    refusal = Reply(403, {"Content-Type": "application/xml"}, body)
    _through(case, lambda request, ask: refusal if request.method == "PUT" else ask(request))


@add("a thousand tiny objects", says=" B on average", warns=("objects",))
def _(case: Case) -> None:
    store = case.world.weed.settings().obstore()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: obstore.put(store, f"{case.prefix}/{n}", b"tiny"), range(1001)))
