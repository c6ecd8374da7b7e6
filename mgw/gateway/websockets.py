"""WebSockets (RFC 6455): opened to the upstream first, and then passed on both ways, message by message."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp
from granian.rsgi import WebsocketMessageType

from mgw.gateway.transport import UpstreamBroken, UpstreamUnreachable

if TYPE_CHECKING:
    from granian._granian import RSGIWebsocketProtocol as WebsocketProtocol
    from granian._granian import RSGIWebsocketTransport as WebsocketTransport

    from mgw.gateway.calls import Calls
    from mgw.gateway.definition import Timeouts
    from mgw.gateway.exchange import Exchange
    from mgw.gateway.headers import Headers

_HANDSHAKE = "sec-websocket-"
"""Headers of the two handshakes, which are not the same: each side makes its own."""

_LONGEST_MESSAGE = 16_777_216


async def pass_websocket(
    exchange: Exchange, protocol: WebsocketProtocol, calls: Calls, target: str, headers: Headers
) -> None:
    """Open a WebSocket to an upstream, and pass messages on until one side has enough.

    Raises:
        Unanswered: the upstream is left alone for now, or has enough to do.
        UpstreamError: it does not take it.
    """
    sent = [each for each in headers if not each[0].startswith(_HANDSHAKE)]
    with calls.opening() as instance:
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            theirs = await _opened(session, instance.url + target, sent, calls.upstream.timeouts)
            calls.opened(instance)
            exchange.status = HTTPStatus.SWITCHING_PROTOCOLS
            ours = await protocol.accept()
            there = asyncio.ensure_future(_to_upstream(ours, theirs))
            back = asyncio.ensure_future(_to_client(theirs, ours))
            try:
                await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
            finally:
                there.cancel()
                back.cancel()
                await asyncio.gather(there, back, return_exceptions=True)
                await theirs.close()
                protocol.close(None)


async def _opened(
    session: aiohttp.ClientSession, url: str, headers: Headers, timeouts: Timeouts
) -> aiohttp.ClientWebSocketResponse:
    try:
        async with asyncio.timeout(timeouts.connect_s + timeouts.first_byte_s):
            return await session.ws_connect(url, headers=headers, max_msg_size=_LONGEST_MESSAGE, heartbeat=30)
    except aiohttp.ClientConnectorError as error:
        raise UpstreamUnreachable(str(error.os_error), sent=False) from error
    except (aiohttp.ClientError, TimeoutError) as error:
        raise UpstreamBroken(f"it does not take a WebSocket: {type(error).__name__}", sent=True) from error


async def _to_upstream(ours: WebsocketTransport, theirs: aiohttp.ClientWebSocketResponse) -> None:
    while True:
        message = await ours.receive()
        if message.kind == WebsocketMessageType.close:
            return
        if isinstance(message.data, str):
            await theirs.send_str(message.data)
        else:
            await theirs.send_bytes(message.data)


async def _to_client(theirs: aiohttp.ClientWebSocketResponse, ours: WebsocketTransport) -> None:
    async for message in theirs:
        if message.type is aiohttp.WSMsgType.TEXT:
            await ours.send_str(message.data)
        elif message.type is aiohttp.WSMsgType.BINARY:
            await ours.send_bytes(message.data)
        else:
            return
