"""Set-ups whose fault is between here and the store: names, ports, proxies, TLS, clocks."""

from datetime import timedelta

from dvc_bucket.base.ports import ADDRESS, free_ports
from tests.doctor.case import Case, SetUps
from tests.doctor.fronts import Middle, Reply, Silent
from tests.stores.plain_front import PlainFront, shifted_date
from tests.stores.tls import Authority, Front

SET_UPS = SetUps()
add = SET_UPS.add

#: Another machine, which only a proxy can reach: none is asked for this one.
ELSEWHERE = "https://store.example"


def _at(case: Case, url: str, *, trust: bool = True) -> None:
    """Have everything name this URL for SeaweedFS."""
    case.connect(case.world.weed.settings(), url, trust=trust)


@add("host name unknown to DNS", "host name (DNS)", says="DNS does not know")
def _(case: Case) -> None:
    _at(case, "https://s3.no-such-institution.invalid")


@add("nobody listens at the port", "connection (TCP)", says="connection refused")
def _(case: Case) -> None:
    _at(case, f"https://{ADDRESS}:{free_ports(1)[0]}")


@add("a server that accepts and says nothing", "answer (HTTP)", says="no answer within 1 s")
def _(case: Case) -> None:
    _at(case, f"http://{ADDRESS}:{case.enter(Silent()).port}")
    case.env(OS_READ_TIMEOUT="1", OS_CONNECT_TIMEOUT="1")


@add("the same, https", "certificate (TLS)", says="TLS handshake fails")
def _(case: Case) -> None:
    _at(case, f"https://{ADDRESS}:{case.enter(Silent()).port}")
    case.env(OS_READ_TIMEOUT="1", OS_CONNECT_TIMEOUT="1")


@add("a dead proxy in `https_proxy`", "connection (TCP)", says="the proxy 127.0.0.1:")
def _(case: Case) -> None:
    case.environment["https_proxy"] = (
        f"http://me:pass-of-proxy@{ADDRESS}:{free_ports(1)[0]}"  # pragma: allowlist secret
    )
    case.secrets.add("pass-of-proxy")
    _at(case, ELSEWHERE)


@add("a proxy that asks for a login", "certificate (TLS)", says="407")
def _(case: Case) -> None:
    proxy = case.enter(Middle(lambda _request, _ask: Reply(407, {})))
    case.environment["https_proxy"] = proxy.url
    _at(case, ELSEWHERE)


def _certificate(case: Case, kind: str, *, trust: bool = True) -> None:
    front = Front(case.world.weed.port, getattr(case.world.authority, kind)())
    _at(case, case.enter(front).url, trust=trust)


@add("certificate expired", "certificate (TLS)", says="has expired")
def _(case: Case) -> None:
    _certificate(case, "expired")


@add("certificate expired, seen through a proxy", "certificate (TLS)", says="has expired")
def _(case: Case) -> None:
    case.environment["https_proxy"] = case.enter(Middle(lambda _request, _ask: Reply(200, {}))).url
    front = case.enter(Front(case.world.weed.port, case.world.authority.expired()))
    _at(case, f"{ELSEWHERE}:{front.port}")


@add("certificate not valid yet", "certificate (TLS)", says="is not valid yet")
def _(case: Case) -> None:
    _certificate(case, "not_yet_valid")


@add("certificate self-signed", "certificate (TLS)", says="is self-signed")
def _(case: Case) -> None:
    _certificate(case, "self_signed")


@add(
    "certificate for another name",
    "certificate (TLS)",
    says="for storage.example.org, not for 127.0.0.1",
)
def _(case: Case) -> None:
    _certificate(case, "wrong_name")


@add(
    "an authority that nobody here knows",
    "certificate (TLS)",
    says="does not know the certificate's authority",
)
def _(case: Case) -> None:
    _certificate(case, "good", trust=False)


@add(
    "`OS_CACERT` is of another authority",
    "certificate (TLS)",
    says="does not contain the authority",
)
def _(case: Case) -> None:
    folder = case.project.root / ".dvc" / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    other = str(Authority(folder).bundle)
    case.env(OS_CACERT=other)


@add("https written, the store has http", "certificate (TLS)", says="does not speak TLS")
def _(case: Case) -> None:
    _at(case, f"https://{ADDRESS}:{case.world.weed.port}")


@add("http written, the store has https", "answer (HTTP)", says="speaks TLS, not plain http")
def _(case: Case) -> None:
    _at(case, case.world.weed_tls.replace("https", "http"))


@add("http that redirects to https", "answer (HTTP)", says="the server requires https")
def _(case: Case) -> None:
    target = case.world.weed_tls
    front = case.enter(
        Middle(lambda request, _: Reply(301, {"Location": f"{target}{request.path}"}))
    )
    _at(case, front.url)


def _shifted(case: Case, by: timedelta) -> None:
    plain = case.enter(PlainFront(case.world.weed.port, shifted_date(by)))
    _at(case, case.enter(Front(plain.port, case.world.good)).url)


@add("this clock 20 minutes behind", "clock", says="this clock is 20 min behind the store's")
def _(case: Case) -> None:
    _shifted(case, timedelta(minutes=20))


@add(
    "this clock 2 minutes ahead", says="this clock is 2 min ahead of the store's", warns=("clock",)
)
def _(case: Case) -> None:
    _shifted(case, -timedelta(minutes=2))
