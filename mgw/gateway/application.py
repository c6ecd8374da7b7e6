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
from typing import TYPE_CHECKING, NamedTuple

from granian._granian import RSGIProtocolClosed as ProtocolClosed

from mgw.core.problems import Problem, internal_error
from mgw.gateway.body import NO_BODY, read_body
from mgw.gateway.cache.serving import Asked, Given
from mgw.gateway.cors import PREFIX as CORS_PREFIX
from mgw.gateway.exchange import Exchange
from mgw.gateway.headers import client_address, is_trusted, outgoing
from mgw.gateway.paths import OWN_PATHS
from mgw.gateway.refusals import Unanswered, no_websocket, not_configured, overloaded, upstream_failed
from mgw.gateway.replies import own, refuse, reply
from mgw.gateway.subjects import require_own
from mgw.gateway.tracing import trace_of
from mgw.gateway.transport import UpstreamError
from mgw.gateway.websockets import pass_websocket

if TYPE_CHECKING:
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian._granian import RSGIWebsocketProtocol as WebsocketProtocol
    from granian.rsgi import Scope

    from mgw.gateway.access_log import AccessLog
    from mgw.gateway.body import Body
    from mgw.gateway.counting import Counts
    from mgw.gateway.headers import Headers
    from mgw.gateway.own_answers import Own
    from mgw.gateway.policy import Leg, Plan, Policy
    from mgw.gateway.tokens import Caller
    from mgw.gateway.tracing import Spans
    from mgw.gateway.transport import Answer

_log = logging.getLogger(__name__)

_CLIENT_GONE = 499
"""What the log says where the client went away before its answer was sent; as nginx has it."""


class Sending(NamedTuple):
    """What an upstream is sent.

    Attributes:
        exchange: what is passed on.
        policy: by what.
        caller: whose it is; None is nobody's.
        body: of the request.
    """

    exchange: Exchange
    policy: Policy
    caller: Caller | None
    body: Body

    def headers(self) -> Headers:
        """Return the headers, with what the gateway says of the request."""
        exchange, policy = self.exchange, self.policy
        headers = outgoing(
            exchange.headers,
            client=exchange.client,
            peer_trusted=is_trusted(exchange.peer, policy.trusted),
            scheme=exchange.scheme,
            host=exchange.named["host"],
            request_id=exchange.request_id,
        )
        trace = exchange.trace or trace_of(exchange.named.get("traceparent"), policy.share)
        exchange.trace = trace
        headers.append(("traceparent", trace.header))
        if not trace.parent_id and "tracestate" in exchange.named:  # of a trace that nobody could read
            headers = [each for each in headers if each[0] != "tracestate"]
        if self.caller is not None:
            headers += self.caller.claims
        headers += self.body.headers
        return headers


class Application:
    """Passes requests on.

    Args:
        policy: what is done with them; a request keeps the one that it began with.
        own: answers for the gateway itself.
        access: the log of requests.
        counts: of them.
        spans: of them; None where nobody collects any.
    """

    def __init__(self, policy: Policy, own: Own, access: AccessLog, counts: Counts, spans: Spans | None) -> None:
        self.policy = policy
        self._own = own
        self._access = access
        self._counts = counts
        self._spans = spans
        self._ids, self._id_prefix = itertools.count(1), secrets.token_hex(6)

    async def answer(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Pass one request on, or refuse it."""
        exchange = self._begin(scope)
        self._counts.under_way.value += 1
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
        finally:
            self._counts.under_way.value -= 1
            self._end(exchange)

    async def answer_websocket(self, scope: Scope, protocol: WebsocketProtocol) -> None:
        """Pass a WebSocket on, or refuse it."""
        exchange = self._begin(scope)
        self._counts.websockets.value += 1
        try:
            await self._pass_websocket(exchange, protocol)
        except (Problem, UpstreamError) as error:
            problem = error if isinstance(error, Problem) else upstream_failed(error, exchange.upstream)
            _log.debug("request %s: no WebSocket: %s", exchange.request_id, error)
            exchange.status = problem.status
            protocol.close(problem.status)
        except Exception:  # noqa: BLE001 - the outermost edge
            _log.exception("request %s: WebSocket %s", exchange.request_id, exchange.path)
            exchange.status = HTTPStatus.INTERNAL_SERVER_ERROR
            protocol.close(exchange.status)
        finally:
            self._counts.websockets.value -= 1
            self._end(exchange)

    def _begin(self, scope: Scope) -> Exchange:
        exchange = Exchange(scope)
        if not exchange.request_id:
            exchange.request_id = f"{self._id_prefix}-{next(self._ids):x}"
        return exchange

    def _end(self, exchange: Exchange) -> None:
        exchange.seconds = time.perf_counter() - exchange.began
        self._counts.record(exchange)
        self._access.add(exchange)
        if self._spans is not None:
            self._spans.add(exchange)

    async def _pass(self, exchange: Exchange, protocol: HTTPProtocol) -> None:
        policy = self.policy
        self._understand(exchange, policy)
        if exchange.path.removeprefix(policy.gateway.prefix) in OWN_PATHS:
            await self._own.answer(exchange, protocol, policy)
            return
        if self._counts.under_way.value > policy.gateway.concurrency:
            raise overloaded()
        if exchange.method == "OPTIONS" and (cors := policy.asked_about(exchange)) is not None:
            own(exchange, protocol, HTTPStatus.NO_CONTENT, cors.preflight(exchange), b"")
            return
        plan = policy.plan(exchange)
        if plan.is_websocket:
            raise no_websocket()
        if plan.cors is not None:
            exchange.added += plan.cors.headers(exchange.named.get("origin"))
        caller = await policy.caller(exchange, plan)
        decision = await policy.count(exchange, plan, caller)
        given = await self._given(exchange, protocol, policy, plan, caller)
        if plan.cors is not None:
            given = given._replace(headers=[each for each in given.headers if not each[0].startswith(CORS_PREFIX)])
        await reply(exchange, protocol, given, decision, policy.gateway.client_timeout_s)

    async def _given(
        self, exchange: Exchange, protocol: HTTPProtocol, policy: Policy, plan: Plan, caller: Caller | None
    ) -> Given:
        """Get an answer from the cache or an upstream; the route's own where there is none."""
        leg = plan.leg_of(exchange)
        exchange.upstream = leg.upstream
        body = NO_BODY
        if exchange.has_body:
            body = await read_body(exchange, protocol, plan.limits)
        if plan.subject is not None:
            require_own(plan.subject, caller, plan.template, exchange.path, body.content)
        try:
            given = await self._asked(exchange, policy, plan, leg, Sending(exchange, policy, caller, body))
        except (UpstreamError, Unanswered) as error:
            if plan.fallback is None:
                raise
            _log.warning("request %s: the fallback is given, because %s", exchange.request_id, error)
            return plan.fallback
        if plan.fallback is not None and given.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            if not isinstance(given.body, bytes):
                await given.body.close()
            return plan.fallback
        return given

    async def _asked(self, exchange: Exchange, policy: Policy, plan: Plan, leg: Leg, sending: Sending) -> Given:
        if leg.calls is None or leg.timeouts is None:
            raise not_configured(leg.upstream)
        calls, timeouts, target = leg.calls, leg.timeouts, leg.target(exchange.path, exchange.query)
        content = sending.body.content

        async def fetch(headers: Headers) -> Answer:
            return await calls.send(exchange.method, target, headers, content, timeouts)

        if not plan.is_cached or (content is not None and exchange.method in {"GET", "HEAD"}):
            answer = await fetch(sending.headers())
            return Given(answer.status, answer.headers, answer, "")
        asked = Asked(
            exchange.method, leg.upstream, target, exchange.user_id, exchange.headers, named=exchange.named,
            make=sending.headers, ttl_s=plan.ttl_s, negative_ttl_s=plan.negative_ttl_s,
        )  # fmt: skip
        given = policy.cache.at_once(asked) or await policy.cache.answer(asked, fetch)
        exchange.cache = given.outcome
        return given

    async def _pass_websocket(self, exchange: Exchange, protocol: WebsocketProtocol) -> None:
        policy = self.policy
        self._understand(exchange, policy)
        plan = policy.plan(exchange)
        if not plan.is_websocket:
            raise no_websocket()
        if plan.cors is not None:
            plan.cors.require_allowed(exchange.named.get("origin"))
        caller = await policy.caller(exchange, plan)
        await policy.count(exchange, plan, caller)
        leg = plan.leg_of(exchange)
        exchange.upstream = leg.upstream
        if leg.calls is None:
            raise not_configured(leg.upstream)
        target = leg.target(exchange.path, exchange.query)
        headers = Sending(exchange, policy, caller, NO_BODY).headers()
        await pass_websocket(exchange, protocol, leg.calls, target, headers)

    def _understand(self, exchange: Exchange, policy: Policy) -> None:
        if policy.trusted:
            exchange.client = client_address(exchange.peer, exchange.named.get("x-forwarded-for"), policy.trusted)
        exchange.require_understood(policy.gateway.header_limit_bytes)
        given = exchange.named.get("traceparent")
        if given is not None or policy.share > 0:  # else it begins with what is sent on
            exchange.trace = trace_of(given, policy.share)
