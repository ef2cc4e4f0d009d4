"""Set-ups whose fault is what answers, or whom it knows: no S3, keys, tokens, region, bucket."""

from pydantic import SecretStr

from dvc_bucket import Settings
from tests.doctor.case import Case, SetUps
from tests.doctor.fronts import Ask, Behaviour, Middle, Reply, Request, always
from tests.doctor.weed import DOMAIN
from tests.stores.tls import Front

SET_UPS = SetUps()
add = SET_UPS.add

#: A secret that belongs to nobody.
WRONG = SecretStr("0f" * 20)

LOGIN = """<!DOCTYPE html>
<html><head><title>Sign in - University</title></head>
<body><form method="post"><input name="user"><input type="password"></form></body></html>"""

#: The document, not the server. Source: OpenStack Identity API, "List versions".
KEYSTONE = """{"versions": {"values": [{"id": "v3.14", "status": "stable",
"updated": "2020-04-07T00:00:00Z", "media-types": [{"base": "application/json",
"type": "application/vnd.openstack.identity-v3+json"}],
"links": [{"rel": "self", "href": "https://cloud.example.org:5000/v3/"}]}]}}"""

BUSY = "<html><body><h1>503 Service Unavailable</h1>No server is available.</body></html>"


def _instead(case: Case, behaviour: Behaviour, target: int = 0) -> None:
    """Another server, or one before a store, behind TLS where the store should be."""
    middle = case.enter(Middle(behaviour, target))
    url = case.enter(Front(middle.port, case.world.good)).url
    case.connect(case.world.weed.settings(), url)


def _swift(case: Case, **changes: object) -> None:
    _as(case, case.world.swift.settings(), case.world.swift_tls, **changes)


def _weed(case: Case, **changes: object) -> None:
    _as(case, case.world.weed.settings(), case.world.weed_tls, **changes)


def _as(case: Case, settings: Settings, url: str, **changes: object) -> None:
    case.note(settings)
    case.connect(settings.model_copy(update=changes), url)


@add("a login page for everything", "speaks S3", says="a web page ('Sign in - University')")
def _(case: Case) -> None:
    _instead(case, always(200, LOGIN, Content_Type="text/html"))


@add("a front that refuses the client of transfers", "transfers", says="obstore cannot list")
def _(case: Case) -> None:
    def refuse(request: Request, ask: Ask) -> Reply:
        agent = request.header("user-agent")
        return Reply(403, {}) if "object_store" in agent else ask(request)

    _instead(case, refuse, case.world.weed.port)


@add("a web console that redirects to `/login`", "speaks S3", says="redirects to /login")
def _(case: Case) -> None:
    _instead(case, always(302, "", Location="/login?next=/"))


@add("a store that redirects to another host", "speaks S3", says="another host, 'moved.invalid'")
def _(case: Case) -> None:
    _instead(case, always(307, "", Location="https://moved.invalid/"))


@add("Keystone where S3 should be", "speaks S3", says="it is Keystone")
def _(case: Case) -> None:
    _instead(case, always(300, KEYSTONE, Content_Type="application/json"))


@add("Swift without its S3 API", "speaks S3", says="OpenStack Swift's own API")
def _(case: Case) -> None:
    """What Swift's own API answers to requests that its S3 API does not take for its own."""
    _instead(
        case,
        lambda request, ask: ask(request.without("authorization", "x-amz-")),
        case.world.swift.port,
    )


@add("a server that answers 503", "speaks S3", says="cannot answer now (status 503)")
def _(case: Case) -> None:
    _instead(case, always(503, BUSY, Content_Type="text/html"))


@add("a store that throttles everything", "throttling", says="4 of 4 requests were answered 503")
def _(case: Case) -> None:
    slow_down = "<Error><Code>SlowDown</Code><Message>Please reduce your rate.</Message></Error>"
    _instead(case, always(503, slow_down, Content_Type="application/xml"))


@add("unknown access key (SeaweedFS)", "access key", says="does not know the key")
def _(case: Case) -> None:
    _weed(case, access_key_id="0123456789abcdef0123")  # pragma: allowlist secret


@add("unknown access key (Swift)", "access key", says="Swift does not say which")
def _(case: Case) -> None:
    _swift(case, access_key_id="test:nobody")  # pragma: allowlist secret


@add("wrong secret (SeaweedFS)", "secret key", says="does not belong to the access key")
def _(case: Case) -> None:
    _weed(case, secret_access_key=WRONG)


@add("wrong secret (Swift)", "access key", says="Swift does not say which")
def _(case: Case) -> None:
    _swift(case, secret_access_key=WRONG)


@add("another store's key left in the environment", "access key", says="(environment)")
def _(case: Case) -> None:
    case.environment["OS_ACCESS_KEY_ID"] = "0123456789abcdef0123"  # pragma: allowlist secret


@add(
    "session token expired (SeaweedFS)",
    "session token",
    says="has expired, according to its own date",
)
def _(case: Case) -> None:
    _as(case, case.world.weed.session(ended=True), case.world.weed_tls)


@add("session token expired (the error of AWS)", "session token", says="session token has expired")
def _(case: Case) -> None:
    """A front gives AWS's documented answer: no store of ours says so in this way."""
    error = (
        '<?xml version="1.0" encoding="UTF-8"?><Error><Code>ExpiredToken</Code>'
        "<Message>The provided token has expired.</Message></Error>"
    )
    _instead(case, always(400, error, Content_Type="application/xml"))
    token = "FwoGZXIvYXdzEBYaDNotAnybodysToken"
    case.env(
        OS_SESSION_TOKEN=token,
        AWS_SESSION_TOKEN="${OS_SESSION_TOKEN}",
    )
    case.secrets.add(token)


@add("an old session token beside lasting keys", "session token", says="does not belong to these")
def _(case: Case) -> None:
    token = case.world.weed.session().session_token
    _weed(case, session_token=token)


@add("no such bucket (SeaweedFS)", "bucket", says="the bucket no-such-bucket does not exist")
def _(case: Case) -> None:
    _weed(case, bucket_name="no-such-bucket")


@add("no such bucket (Swift)", "bucket", says="the bucket no-such-bucket does not exist")
def _(case: Case) -> None:
    _swift(case, bucket_name="no-such-bucket")


@add("wrong region (Swift)", "region", says="signed for eu-west-9")
def _(case: Case) -> None:
    _swift(case)
    case.env(OS_REGION="eu-west-9")


@add("virtual-host addressing to a number", "host name (DNS)", says="the endpoint is an IP address")
def _(case: Case) -> None:
    case.env(OS_ADDRESSING_STYLE="virtual")


#: The check that warns of http to a host that is not this machine.
PLAIN = ("certificate (TLS)",)


def _by_name(case: Case, host: str) -> None:
    """The store under a name that only a proxy knows, as in many institutions."""
    proxy = case.enter(Middle(lambda request, ask: ask(request), case.world.weed.port))
    case.environment["http_proxy"] = proxy.url
    _as(case, case.world.weed.settings(), f"http://{host}")


@add(
    "virtual-host addressing, a store without it",
    "addressing",
    says="ignores the bucket",
    warns=PLAIN,
)
def _(case: Case) -> None:
    _by_name(case, "s3.example.org")
    case.env(OS_ADDRESSING_STYLE="virtual")


@add(
    "the bucket's name in the endpoint",
    "addressing",
    says="begins with the bucket's name",
    warns=PLAIN,
)
def _(case: Case) -> None:
    _by_name(case, f"{case.world.weed.bucket}.{DOMAIN}")


def _error(code: str, message: str) -> str:
    return f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"


@add("a store that wants virtual-host addressing", "addressing", says="before the host name")
def _(case: Case) -> None:
    """A front gives the documented answer of Alibaba's store, which takes nothing else."""
    text = _error("SecondLevelDomainForbidden", "Please use virtual hosted style to access.")
    _instead(case, always(403, text, Content_Type="application/xml"))


@add("a store whose clock refuses ours", "clock", says="this clock is 30 min behind the store's")
def _(case: Case) -> None:
    """A front in the role of a store that looks at the time, as AWS and Ceph do."""
    from datetime import UTC, datetime, timedelta
    from email.utils import format_datetime

    ahead = format_datetime(datetime.now(UTC) + timedelta(minutes=30), usegmt=True)
    text = _error("RequestTimeTooSkewed", "The difference is too large.")
    refusal = Reply(403, {"Date": ahead, "Content-Type": "application/xml"}, text.encode())
    _instead(case, lambda _request, _ask: refusal)
