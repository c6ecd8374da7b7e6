"""The transport on pyreqwest: hyper's client, with the bodies streamed both ways."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pyreqwest import exceptions as theirs
from pyreqwest.client import ClientBuilder

from mgw import __version__
from mgw.gateway.deadlines import Deadlines
from mgw.gateway.headers import end_to_end
from mgw.gateway.transport import UpstreamBroken, UpstreamError, UpstreamSlow, UpstreamUnreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pyreqwest.client import Client
    from pyreqwest.request import StreamRequest
    from pyreqwest.response import Response

    from mgw.gateway.definition import Timeouts
from mgw.gateway.headers import Headers

_IDLE_CONNECTION_S = 60.0
_NOT_CONNECTED = "client error (Connect)"
"""What hyper says where there was no connection; its class is the same where one was closed without an answer."""


class PyreqwestAnswer:
    """An answer that has begun."""

    def __init__(self, request: StreamRequest, response: Response) -> None:
        self._request = request
        self._response = response
        self.status = response.status
        self.headers: Headers = end_to_end(list(response.headers.items()))
        self._is_read = False

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the body, piece by piece."""
        reader = self._response.body_reader
        while True:
            try:
                piece = await reader.read_chunk()
            except theirs.PyreqwestError as error:
                raise _translated(error, sent=True) from error
            if piece is None:
                return
            yield bytes(piece)

    async def whole(self) -> bytes:
        """Return the body in one piece."""
        try:
            content = bytes(await self._response.bytes())
        except theirs.PyreqwestError as error:
            raise _translated(error, sent=True) from error
        self._is_read = True
        return content

    async def close(self) -> None:
        """Let the connection go; one whose answer was read is free by then."""
        if not self._is_read:
            await self._request.__aexit__(None, None, None)


class PyreqwestTransport:
    """Sends requests, with a client for the timeouts that are a client's: to connect, between reads, and in all."""

    def __init__(self) -> None:
        self._clients: dict[tuple[float, float, float], Client] = {}
        self._deadlines = Deadlines()

    async def send(
        self, method: str, url: str, headers: Headers, body: AsyncIterator[bytes] | bytes | None, timeouts: Timeouts
    ) -> PyreqwestAnswer:
        """Send a request and return when the answer has begun."""
        builder = self._client(timeouts).request(method, url).headers(headers).streamed_read_buffer_limit(0)
        if isinstance(body, bytes):
            builder = builder.body_bytes(body)
        elif body is not None:
            builder = builder.body_stream(body)
        request = builder.build_streamed()
        try:
            with self._deadlines.within(timeouts.connect_s + timeouts.first_byte_s):
                response = await request.__aenter__()
        except theirs.PyreqwestError as error:  # before TimeoutError, which some of them are
            raise _translated(error, sent=True) from error
        except TimeoutError:
            raise UpstreamSlow(f"no answer within {timeouts.first_byte_s:g} s", sent=True) from None
        return PyreqwestAnswer(request, response)

    async def close(self) -> None:
        """Close the connections that are kept."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.close()

    def _client(self, timeouts: Timeouts) -> Client:
        key = timeouts.connect_s, timeouts.idle_s, timeouts.total_s
        found = self._clients.get(key)
        if found is None:
            found = self._clients[key] = (
                ClientBuilder()
                .connect_timeout(timedelta(seconds=timeouts.connect_s))
                .read_timeout(timedelta(seconds=timeouts.idle_s))
                .timeout(timedelta(seconds=timeouts.total_s))
                .pool_idle_timeout(timedelta(seconds=_IDLE_CONNECTION_S))
                .follow_redirects(False)
                .default_cookie_store(False)
                .gzip(False)
                .brotli(False)
                .zstd(False)
                .deflate(False)
                .referer(False)
                .no_proxy()
                .user_agent(f"mgw/{__version__}")
                .http1_only()
                .tcp_nodelay(True)
                .error_for_status(False)
                .build()
            )
        return found


def _translated(error: theirs.PyreqwestError, *, sent: bool) -> UpstreamError:
    detailed = error.details if isinstance(error, theirs.DetailedPyreqwestError) else None
    causes = [str(cause["message"]) for cause in (detailed["causes"] if detailed else None) or ()]
    message = causes[-1] if causes else type(error).__name__  # the first one has the URL, and what is secret in it
    if _NOT_CONNECTED in causes:
        return UpstreamUnreachable(message, sent=False)
    if isinstance(error, theirs.RequestTimeoutError):  # of which reading, writing and connecting are kinds
        return UpstreamSlow(message, sent=sent)
    return UpstreamBroken(message, sent=sent)
