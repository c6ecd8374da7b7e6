"""The transport on aiohttp: slower than pyreqwest, and older; `transport: aiohttp` in the gateway's file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from mgw.gateway.deadlines import Deadlines
from mgw.gateway.headers import end_to_end
from mgw.gateway.transport import UpstreamBroken, UpstreamError, UpstreamSlow, UpstreamUnreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mgw.gateway.definition import Timeouts
    from mgw.gateway.headers import Headers

_PIECE = 65_536
_IDLE_CONNECTION_S = 60.0


class AiohttpAnswer:
    """An answer that has begun."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: Headers = end_to_end([(name.lower(), value) for name, value in response.headers.items()])

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the body, piece by piece."""
        try:
            async for piece in self._response.content.iter_any():
                yield piece
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _translated(error, sent=True) from error

    async def whole(self) -> bytes:
        """Return the body in one piece."""
        try:
            return await self._response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _translated(error, sent=True) from error

    async def close(self) -> None:
        """Let the connection go; one whose body was not read to its end is closed."""
        if self._response.content.at_eof():
            await self._response.release()
        else:
            self._response.close()


class AiohttpTransport:
    """Sends requests, with one session for all."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._deadlines = Deadlines()

    async def send(
        self, method: str, url: str, headers: Headers, body: AsyncIterator[bytes] | bytes | None, timeouts: Timeouts
    ) -> AiohttpAnswer:
        """Send a request and return when the answer has begun."""
        session = self._session or self._begin()
        limits = aiohttp.ClientTimeout(
            total=timeouts.total_s, sock_connect=timeouts.connect_s, sock_read=timeouts.idle_s
        )
        try:
            with self._deadlines.within(timeouts.connect_s + timeouts.first_byte_s):
                response = await session.request(
                    method, URL(url, encoded=True), headers=headers, data=body, timeout=limits, allow_redirects=False
                )
        except aiohttp.ConnectionTimeoutError as error:
            raise UpstreamUnreachable("no connection in time", sent=False) from error
        except TimeoutError:
            raise UpstreamSlow(f"no answer within {timeouts.first_byte_s:g} s", sent=True) from None
        except (aiohttp.ClientError, OSError) as error:
            raise _translated(error, sent=True) from error
        return AiohttpAnswer(response)

    async def close(self) -> None:
        """Close the connections that are kept."""
        if self._session is not None:
            await self._session.close()

    def _begin(self) -> aiohttp.ClientSession:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_CONNECTION_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("accept", "accept-encoding", "user-agent", "content-type"),
            read_bufsize=_PIECE,
        )
        return self._session


def _translated(error: BaseException, *, sent: bool) -> UpstreamError:
    if isinstance(error, aiohttp.ClientConnectorError):
        return UpstreamUnreachable(str(error.os_error), sent=False)
    if isinstance(error, TimeoutError):
        return UpstreamSlow("it took too long", sent=sent)
    return UpstreamBroken(type(error).__name__, sent=sent)
