"""The body of a request: whole where it is short, streamed where it is long, never one that ended before its end."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from mgw.core.problems import Problem, bad_request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from granian._granian import RSGIHTTPProtocol as HTTPProtocol

    from mgw.gateway.exchange import Exchange
    from mgw.gateway.headers import Headers

WHOLE_BYTES = 65_536


class Body(NamedTuple):
    """A body as it is sent on.

    Attributes:
        content: whole, in pieces, or None where there is none.
        headers: that go with it.
    """

    content: bytes | AsyncIterator[bytes] | None
    headers: Headers


class BodyLimits(NamedTuple):
    """What a body may be.

    Attributes:
        size_bytes: the longest.
        whole_bytes: up to this length it is read before it is sent on.
        idle_s: how long the client may take to send the next piece.
    """

    size_bytes: int
    whole_bytes: int
    idle_s: float


NO_BODY = Body(None, [])


async def read_body(exchange: Exchange, protocol: HTTPProtocol, limits: BodyLimits) -> Body:
    """Read a body, or begin to.

    Raises:
        Problem: it is longer than it may be, or its length is not said, or no number.
    """
    length = exchange.named.get("content-length")
    if "transfer-encoding" in exchange.named:
        raise _without_length()
    if length is None:
        if await _begins(protocol, limits.idle_s):
            raise _without_length()
        return NO_BODY
    if not (length.isascii() and length.isdecimal()):
        raise bad_request("the length of the body is not a number")
    if int(length) > limits.size_bytes:
        raise _too_large(limits.size_bytes)
    if int(length) <= limits.whole_bytes:
        return Body(await _whole(protocol, int(length), limits.idle_s), [])
    return Body(_pieces(protocol, int(length), limits.idle_s), [("content-length", length)])


async def _whole(protocol: HTTPProtocol, length: int, idle_s: float) -> bytes:
    try:
        async with asyncio.timeout(idle_s):
            content = await protocol()
    except TimeoutError:
        raise _slow(idle_s) from None
    except RuntimeError as error:  # of the server in front: the connection is gone
        raise bad_request("the body ended before its end") from error
    if len(content) != length:
        raise bad_request("the body ended before its end")
    return content


async def _pieces(protocol: HTTPProtocol, expected: int, idle_s: float) -> AsyncIterator[bytes]:
    """Yield the body as it comes.

    Raises:
        Problem: it is too slow, or ended before its end; what was sent on is broken off.
    """
    size, source = 0, aiter(protocol)
    while True:
        try:
            async with asyncio.timeout(idle_s):
                piece = await anext(source)
        except StopAsyncIteration:
            break
        except TimeoutError:
            raise _slow(idle_s) from None
        size += len(piece)
        yield piece
    if size != expected:
        raise bad_request("the body ended before its end")


async def _begins(protocol: HTTPProtocol, idle_s: float) -> bool:
    """Say whether there is a body of which nothing was said, as HTTP/2 may have one."""
    source = aiter(protocol)
    try:
        async with asyncio.timeout(idle_s):
            while not await anext(source):
                pass
    except StopAsyncIteration:
        return False
    except TimeoutError:
        raise _slow(idle_s) from None
    return True


def _without_length() -> Problem:
    """Refuse what nobody can see the end of: the server in front ends a body that broke off as if it were whole."""
    return Problem(HTTPStatus.LENGTH_REQUIRED, "LENGTH_REQUIRED", "a body takes a Content-Length")


def _too_large(limit_bytes: int) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "BODY_TOO_LARGE", f"the body is longer than {limit_bytes:,} bytes",
        headers=(("connection", "close"),),
    )  # fmt: skip


def _slow(idle_s: float) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_TIMEOUT, "TIMEOUT", f"nothing of the body came for {idle_s:g} s",
        headers=(("connection", "close"),),
    )  # fmt: skip
