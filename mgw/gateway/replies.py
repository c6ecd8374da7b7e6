"""Answers on their way to the client: an upstream's, the cache's, and refusals."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from mgw.gateway.cache.freshness import TAGS
from mgw.gateway.cache.serving import cache_status
from mgw.gateway.client_socket import Flow, cut_connection
from mgw.gateway.headers import header

if TYPE_CHECKING:
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol

    from mgw.core.problems import Problem
    from mgw.gateway.cache.serving import Given
    from mgw.gateway.exchange import Exchange
    from mgw.gateway.headers import Headers
    from mgw.gateway.limits import Decision
    from mgw.gateway.transport import Answer

JSON = ("content-type", "application/json")
_OURS = TAGS | {"server", "x-request-id"}
_WHOLE_BYTES = 65_536
"""Up to this length an answer is sent in one piece."""

_encode = msgspec.json.Encoder().encode


async def reply(
    exchange: Exchange, protocol: HTTPProtocol, given: Given, decision: Decision, patience_s: float
) -> None:
    """Give a client its answer.

    Args:
        exchange: what it asked.
        protocol: to it.
        given: the answer.
        decision: on how often it asks.
        patience_s: how long it may take nothing of a long answer.

    Raises:
        UpstreamError: it broke off.
        Problem: the client takes nothing any more.
    """
    headers = [each for each in given.headers if each[0] not in _OURS]
    headers += (("x-request-id", exchange.request_id), *limit_headers(decision), *exchange.added)
    if given.how:
        headers.append(cache_status(given.how))
    if isinstance(given.body, bytes):
        _whole(exchange, protocol, given.status, headers, given.body)
        return
    answer = given.body
    try:
        if exchange.method == "HEAD" or answer.status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
            _whole(exchange, protocol, answer.status, headers, b"")
            return
        length = header(answer.headers, "content-length") or ""
        if length.isdecimal() and int(length) <= _WHOLE_BYTES:
            _whole(exchange, protocol, answer.status, headers, await answer.whole())
            return
        await _stream(exchange, protocol, headers, answer, Flow(exchange.connection, patience_s))
    finally:
        await answer.close()


def own(exchange: Exchange, protocol: HTTPProtocol, status: int, headers: Headers, body: bytes) -> None:
    """Answer what the gateway answers itself."""
    _whole(exchange, protocol, status, [*headers, ("x-request-id", exchange.request_id)], body)


def refuse(exchange: Exchange, protocol: HTTPProtocol, problem: Problem) -> None:
    """Tell a client why there is no answer; where one has begun, to break it off is all that is left."""
    if exchange.status:
        cut_connection(exchange.connection)
        return
    headers = [JSON, *problem.headers, ("x-request-id", exchange.request_id), *exchange.added]
    if problem.retry_after is not None:
        headers.append(("retry-after", str(problem.retry_after)))
    _whole(exchange, protocol, problem.status, headers, _encode(problem.reply(exchange.request_id)))


def limit_headers(decision: Decision) -> Headers:
    """Say how much is left, under the names of the IETF's draft."""
    return [
        ("ratelimit-limit", str(decision.limit)),
        ("ratelimit-remaining", str(decision.remaining)),
        ("ratelimit-reset", str(math.ceil(decision.reset_s))),
    ]


def _whole(exchange: Exchange, protocol: HTTPProtocol, status: int, headers: Headers, body: bytes) -> None:
    exchange.status = status
    if exchange.method == "HEAD" or not body:
        protocol.response_empty(status, headers)
    else:
        protocol.response_bytes(status, headers, body)


async def _stream(exchange: Exchange, protocol: HTTPProtocol, headers: Headers, answer: Answer, flow: Flow) -> None:
    exchange.status = answer.status
    stream = protocol.response_stream(answer.status, headers)
    try:
        async for piece in answer.body():
            await stream.send_bytes(piece)
            await flow.sent(len(piece))
    finally:
        flow.end()
