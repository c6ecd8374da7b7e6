"""One request through the gateway: understood, routed, its caller checked and limited, passed on, and logged.

The order is that of `_pass`: what is cheap and needs nobody comes first, and nothing reaches an upstream that was not
routed, allowed and counted.
"""

from __future__ import annotations

import itertools
import logging
import secrets
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from granian._granian import RSGIProtocolClosed as ProtocolClosed

from mgw import __version__
from mgw.core.problems import Problem, internal_error
from mgw.gateway.body import read_body
from mgw.gateway.cache.caching import Asked, Given
from mgw.gateway.exchange import Exchange
from mgw.gateway.headers import client_address, is_trusted, outgoing
from mgw.gateway.refusals import no_such_path, not_allowed, not_configured, upstream_failed
from mgw.gateway.replies import JSON, refuse, reply
from mgw.gateway.routing import NotAllowed
from mgw.gateway.transport import UpstreamError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

    from mgw.gateway.access_log import AccessLog
    from mgw.gateway.headers import Headers
    from mgw.gateway.policy import Plan, Policy
    from mgw.gateway.tokens import Caller
    from mgw.gateway.transport import Answer, Transport

_log = logging.getLogger(__name__)

_CLIENT_GONE = 499
"""What the log says where the client went away before its answer was sent; as nginx has it."""


class Application:
    """Passes requests on until it is stopped.

    Args:
        policy: what is done with them.
        transport: to the upstreams.
        access: the log of requests.
        on_start: called with the event loop, before anything else is done.
    """

    def __init__(
        self,
        policy: Policy,
        transport: Transport,
        access: AccessLog,
        on_start: Callable[[asyncio.AbstractEventLoop], None],
    ) -> None:
        self._policy = policy
        self._transport = transport
        self._access = access
        self._on_start = on_start
        self._ids, self._id_prefix = itertools.count(1), secrets.token_hex(6)
        self._encoder = msgspec.json.Encoder()
        self._began = time.monotonic()

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin."""
        self._on_start(loop)
        self._access.begin(loop)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """End: the requests that were under way are answered by now."""
        loop.run_until_complete(self._transport.close())
        self._access.flush()

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Pass one request on, or refuse it."""
        if scope.proto != "http":
            return
        exchange = Exchange(scope)
        if not exchange.request_id:
            exchange.request_id = f"{self._id_prefix}-{next(self._ids):x}"
        try:
            await self._pass(exchange, protocol)
        except Problem as problem:
            refuse(exchange, protocol, problem)
        except UpstreamError as error:
            _log.warning("request %s: upstream %s: %s", exchange.request_id, exchange.upstream, error.message)
            refuse(exchange, protocol, upstream_failed(error, exchange.upstream))
        except ProtocolClosed:
            exchange.status = _CLIENT_GONE
        except Exception:  # noqa: BLE001 - the outermost edge
            _log.exception("request %s: %s %s", exchange.request_id, exchange.method, exchange.path)
            refuse(exchange, protocol, internal_error())
        self._access.add(exchange)

    async def _pass(self, exchange: Exchange, protocol: HTTPProtocol) -> None:
        policy = self._policy
        if policy.trusted:
            exchange.client = client_address(exchange.peer, exchange.named.get("x-forwarded-for"), policy.trusted)
        exchange.require_understood(policy.gateway.header_limit_bytes)
        if self._is_own(exchange, policy):
            self._answer_for_itself(exchange, protocol)
            return
        plan = _planned(exchange, policy)
        caller = policy.caller(exchange, plan)
        decision = policy.count(exchange, caller)
        if plan.calls is None or plan.timeouts is None:
            raise not_configured(plan.upstream)
        calls, timeouts, target = plan.calls, plan.timeouts, plan.target(exchange)
        body = await read_body(exchange, protocol, plan.body_limit_bytes, policy.gateway.body_timeout_s)
        headers = _sent(exchange, policy, caller)
        headers += body.headers

        async def fetch(headers: Headers) -> Answer:
            return await calls.send(exchange.method, target, headers, body.content, timeouts)

        if not plan.is_cached or (body.content is not None and exchange.method in {"GET", "HEAD"}):
            answer = await fetch(headers)
            await reply(exchange, protocol, Given(answer.status, answer.headers, answer, ""), decision)
            return
        asked = Asked(exchange.method, plan.upstream, target, exchange.user_id, headers, plan.ttl_s)
        await reply(exchange, protocol, await policy.cache.answer(asked, fetch), decision)

    def _is_own(self, exchange: Exchange, policy: Policy) -> bool:
        path = exchange.path.removeprefix(policy.gateway.prefix)
        return path in {"/health", "/health/live", "/health/ready"} and exchange.method in {"GET", "HEAD"}

    def _answer_for_itself(self, exchange: Exchange, protocol: HTTPProtocol) -> None:
        exchange.template, exchange.status = exchange.path, HTTPStatus.OK
        uptime = round(time.monotonic() - self._began, 3)
        health = {"status": "ok", "version": __version__, "uptime_seconds": uptime}
        protocol.response_bytes(HTTPStatus.OK, [JSON], self._encoder.encode(health))


def _planned(exchange: Exchange, policy: Policy) -> Plan:
    found = policy.routes.find(exchange.method, exchange.path)
    if found is None:
        raise no_such_path()
    if isinstance(found, NotAllowed):
        raise not_allowed(found.methods)
    exchange.template, exchange.upstream = found.template, found.upstream
    return found


def _sent(exchange: Exchange, policy: Policy, caller: Caller | None) -> Headers:
    """Return the headers that the upstream gets."""
    headers = outgoing(
        exchange.headers,
        client=exchange.client,
        peer_trusted=is_trusted(exchange.peer, policy.trusted),
        scheme=exchange.scheme,
        host=exchange.named["host"],
        request_id=exchange.request_id,
    )
    if caller is not None:
        headers += caller.claims
    return headers
