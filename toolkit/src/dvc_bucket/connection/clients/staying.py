"""An HTTP session of aiobotocore that follows no redirect, as botocore's own does not."""

from typing import Any

from aiobotocore.httpsession import AIOHTTPSession


class _Staying:
    """aiohttp's session for aiobotocore, which calls `request` alone."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def request(self, *arguments: Any, **named: Any) -> Any:
        """Return the answer, a redirect as well."""
        return self._session.request(*arguments, allow_redirects=False, **named)


class StayingSession(AIOHTTPSession):  # type: ignore[misc]  # it has no types
    """Without redirects."""

    async def _get_session(self, proxy_url: str | None) -> Any:
        return _Staying(await super()._get_session(proxy_url))
