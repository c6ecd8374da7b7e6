"""One request through the gateway: understood, routed, its caller checked and limited, passed on, and logged.

The order is that of `_pass`: what is cheap and needs nobody comes first, and nothing reaches an upstream that was not
routed, allowed and counted.
"""

from __future__ import annotations

import itertools
import logging
import math
import re
import secrets
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from granian._granian import RSGIProtocolClosed as ProtocolClosed

from mgw import __version__
from mgw.core.problems import Problem, bad_request, internal_error
from mgw.gateway.body import read_body
from mgw.gateway.cache.caching import Asked, Caching, Given, cache_status
from mgw.gateway.cache.store import Store
from mgw.gateway.calls import Calls
from mgw.gateway.cutting import cut_connection
from mgw.gateway.headers import client_address, is_trusted, networks, outgoing
from mgw.gateway.limits import Decision, Limiter, caller_of
from mgw.gateway.paths import encoded, is_plain, is_query
from mgw.gateway.routing import NotAllowed, Routes
from mgw.gateway.tokens import Caller, TokenRefused, Verifier
from mgw.gateway.transport import UpstreamError, UpstreamSlow, UpstreamUnreachable

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

    from mgw.gateway.access_log import AccessLog
    from mgw.gateway.definition import Gateway, Upstream
    from mgw.gateway.headers import Headers
    from mgw.gateway.routing import Found
    from mgw.gateway.transport import Answer, Transport

_log = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_JSON = ("content-type", "application/json")
_REFUSED_METHODS = frozenset({"TRACE", "CONNECT", "TRACK"})
_CLIENT_GONE = 499
"""What the log says where the client went away before its answer was sent; as nginx has it."""

_WHOLE_BYTES = 65_536
"""Up to this length an answer is sent in one piece."""


@dataclass(slots=True)
class Passage:
    """What is known of a request while it passes, for the log.

    Attributes:
        request_id: of the request.
        client: whose address it is.
        template: of the route; empty before it is routed.
        upstream: where it went; empty where nowhere.
        user_id: who asks; empty is nobody.
        status: of the answer.
    """

    request_id: str
    client: str
    template: str = ""
    upstream: str = ""
    user_id: str = ""
    status: int = 0


class Application:
    """Passes requests on until it is stopped.

    Args:
        gateway: what the file says.
        transport: to the upstreams.
        key: that verifies tokens; None where no route takes one.
        access: the log of requests.
        on_start: called with the event loop, before anything else is done.
    """

    def __init__(
        self,
        gateway: Gateway,
        transport: Transport,
        key: Any,  # noqa: ANN401 - of the library of tokens
        access: AccessLog,
        on_start: Callable[[asyncio.AbstractEventLoop], None],
    ) -> None:
        self._gateway = gateway
        self._transport = transport
        self._access = access
        self._on_start = on_start
        self._routes = Routes(gateway.routes, gateway.prefix)
        self._verifier = None if key is None else Verifier(gateway.tokens, key, gateway.limits, time.time)
        self._limiter = Limiter(gateway.limits, time.monotonic)
        self._trusted = networks(gateway.trusted_proxies)
        self._calls = {name: Calls(name, upstream, transport) for name, upstream in gateway.upstreams.items()}
        self._cache = Caching(Store(gateway.cache.size_bytes), gateway.cache.object_bytes)
        self._encoder = msgspec.json.Encoder()
        self._ids, self._id_prefix = itertools.count(1), secrets.token_hex(6)
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
        began = time.perf_counter()
        passage = self._passage(scope)
        try:
            await self._pass(scope, protocol, passage)
        except Problem as problem:
            self._refuse(scope, protocol, passage, problem)
        except UpstreamError as error:
            _log.warning("request %s: upstream %s: %s", passage.request_id, passage.upstream, error.message)
            self._refuse(scope, protocol, passage, _upstream_problem(error, passage.upstream))
        except ProtocolClosed:
            passage.status = _CLIENT_GONE
        except Exception:  # noqa: BLE001 - the outermost edge
            _log.exception("request %s: %s %s", passage.request_id, scope.method, scope.path)
            self._refuse(scope, protocol, passage, internal_error())
        self._note(scope, passage, time.perf_counter() - began)

    async def _pass(self, scope: Scope, protocol: HTTPProtocol, passage: Passage) -> None:
        _require_understood(scope, self._gateway.header_limit_bytes)
        if (health := self._health(scope)) is not None:
            passage.template, passage.status = scope.path, HTTPStatus.OK
            protocol.response_bytes(HTTPStatus.OK, [_JSON], health)
            return
        found = self._route(scope)
        passage.template = found.template
        caller = self._caller(scope, found)
        passage.user_id = caller.user_id if caller else ""
        decision = self._limit(caller, passage.client)
        calls = self._upstream(found, passage)
        limit = found.route.body_limit_bytes or self._gateway.body_limit_bytes
        body = await read_body(scope, protocol, limit_bytes=limit, idle_s=self._gateway.body_timeout_s)
        target, timeouts = _target(scope, calls.upstream), found.route.timeouts or calls.upstream.timeouts
        headers = [*self._headers(scope, passage), *_claims(caller), *body.headers]

        async def fetch(headers: Headers) -> Answer:
            return await calls.send(scope.method, target, headers, body.content, timeouts)

        if found.route.cache is None or (scope.method in {"GET", "HEAD"} and body.content is not None):
            answer = await fetch(headers)
            await self._reply(scope, protocol, passage, Given(answer.status, answer.headers, answer, ""), decision)
            return
        asked = Asked(scope.method, passage.upstream, target, passage.user_id, headers, found.route.cache.ttl_s)
        await self._reply(scope, protocol, passage, await self._cache.answer(asked, fetch), decision)

    def _route(self, scope: Scope) -> Found:
        found = self._routes.find(scope.method, scope.path)
        if found is None:
            raise Problem(HTTPStatus.NOT_FOUND, "NOT_FOUND", "there is no such path")
        if isinstance(found, NotAllowed):
            allow = ", ".join(found.methods)
            raise Problem(
                HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", f"this takes {allow}", headers=(("allow", allow),)
            )
        return found

    def _caller(self, scope: Scope, found: Found) -> Caller | None:
        """Find out who asks.

        Raises:
            Problem: a token is missing where it is required, not valid, or not good for the route.
        """
        auth = found.route.auth
        given = scope.headers.get("authorization")
        if auth == "none":
            return None
        if given is None:
            if auth == "optional":
                return None
            raise _unauthorized("TOKEN_MISSING", "this takes a token: Authorization: Bearer …")
        scheme, _, token = given.partition(" ")
        if scheme.lower() != "bearer" or not token or self._verifier is None:
            raise _unauthorized("TOKEN_INVALID", "the authorization is not a bearer token")
        try:
            caller = self._verifier.caller(token.strip())
        except TokenRefused as refused:
            raise _unauthorized(refused.code, refused.message) from None
        missing = [name for name in found.route.scopes if name not in caller.scopes]
        if missing:
            raise Problem(
                HTTPStatus.FORBIDDEN, "SCOPE_MISSING", f"the token is not good for {', '.join(missing)}",
                headers=(("www-authenticate", f'Bearer error="insufficient_scope", scope="{" ".join(missing)}"'),),
            )  # fmt: skip
        return caller

    def _limit(self, caller: Caller | None, client: str) -> Decision:
        """Count the request.

        Raises:
            Problem: there were too many.
        """
        who = f"user:{caller.user_id}" if caller else f"address:{caller_of(client)}"
        decision = self._limiter.ask(caller.tier if caller else "anonymous", who)
        if not decision.allowed:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS, "RATE_LIMITED", "too many requests",
                retry_after=max(math.ceil(decision.retry_after_s), 1), headers=tuple(_limit_headers(decision)),
            )  # fmt: skip
        return decision

    def _upstream(self, found: Found, passage: Passage) -> Calls:
        passage.upstream = found.route.upstream
        calls = self._calls.get(found.route.upstream)
        if calls is None:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE, "UPSTREAM_NOT_CONFIGURED", f"{found.route.upstream} is not configured"
            )
        return calls

    def _headers(self, scope: Scope, passage: Passage) -> Headers:
        return outgoing(
            scope.headers.items(),
            client=passage.client,
            peer_trusted=is_trusted(_peer(scope), self._trusted),
            scheme=scope.scheme,
            host=_host(scope),
            request_id=passage.request_id,
        )

    async def _reply(
        self, scope: Scope, protocol: HTTPProtocol, passage: Passage, given: Given, decision: Decision
    ) -> None:
        headers = [(name, value) for name, value in given.headers if name.lower() not in {"server", "x-request-id"}]
        headers += [("x-request-id", passage.request_id), *_limit_headers(decision)]
        if given.how:
            headers.append(cache_status(given.how))
        if isinstance(given.body, bytes):
            passage.status = given.status
            if scope.method == "HEAD" or not given.body:
                protocol.response_empty(given.status, headers)
            else:
                protocol.response_bytes(given.status, headers, given.body)
            return
        answer = given.body
        try:
            if scope.method == "HEAD" or answer.status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
                passage.status = answer.status
                protocol.response_empty(answer.status, headers)
                return
            length = next((value for name, value in answer.headers if name.lower() == "content-length"), "")
            if length.isdecimal() and int(length) <= _WHOLE_BYTES:
                whole = await answer.whole()
                passage.status = answer.status
                protocol.response_bytes(answer.status, headers, whole)
                return
            passage.status = answer.status
            stream = protocol.response_stream(answer.status, headers)
            async for piece in answer.body():
                await stream.send_bytes(piece)
        finally:
            await answer.close()

    def _health(self, scope: Scope) -> bytes | None:
        """Answer for the gateway itself."""
        path = scope.path.removeprefix(self._gateway.prefix) if self._gateway.prefix else scope.path
        if scope.method not in {"GET", "HEAD"} or path not in {"/health", "/health/live", "/health/ready"}:
            return None
        uptime = round(time.monotonic() - self._began, 3)
        return self._encoder.encode({"status": "ok", "version": __version__, "uptime_seconds": uptime})

    def _refuse(self, scope: Scope, protocol: HTTPProtocol, passage: Passage, problem: Problem) -> None:
        if passage.status:  # the answer has begun: to break it off is all that is left
            cut_connection(scope.client)
            return
        passage.status = problem.status
        headers = [_JSON, *problem.headers, ("x-request-id", passage.request_id)]
        if problem.retry_after is not None:
            headers.append(("retry-after", str(problem.retry_after)))
        if scope.method == "HEAD":
            protocol.response_empty(problem.status, headers)
        else:
            protocol.response_bytes(problem.status, headers, self._encoder.encode(problem.reply(passage.request_id)))

    def _passage(self, scope: Scope) -> Passage:
        peer = _peer(scope)
        client = client_address(peer, scope.headers.get("x-forwarded-for"), self._trusted)
        given = scope.headers.get("x-request-id")
        if given is not None and _REQUEST_ID.fullmatch(given):
            return Passage(str(given), client)
        return Passage(f"{self._id_prefix}-{next(self._ids):x}", client)

    def _note(self, scope: Scope, passage: Passage, seconds: float) -> None:
        self._access.add(
            {
                "method": scope.method, "path": scope.path, "route": passage.template, "status": passage.status,
                "upstream": passage.upstream, "client": passage.client, "user": passage.user_id,
                "request_id": passage.request_id, "duration_ms": round(1000 * seconds, 3),
            }
        )  # fmt: skip


def _require_understood(scope: Scope, header_limit_bytes: int) -> None:
    """Refuse what could be understood in two ways, or should not be passed on at all."""
    if scope.method in _REFUSED_METHODS:
        raise Problem(HTTPStatus.NOT_IMPLEMENTED, "METHOD_REFUSED", f"{scope.method} is not passed on")
    if not (is_plain(scope.path) and is_query(scope.query_string)):
        raise bad_request("the path or the query can be read in more than one way")
    items = scope.headers.items()
    if sum(len(name) + len(value) + 4 for name, value in items) > header_limit_bytes:
        raise Problem(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "HEADERS_TOO_LARGE",
            f"the headers are longer than {header_limit_bytes:,} bytes",
        )  # fmt: skip
    hosts = sum(name.lower() == "host" for name, _ in items)
    if hosts > 1 or (hosts == 0 and scope.http_version.startswith("1")):
        raise bad_request("there has to be one Host header")


def _target(scope: Scope, upstream: Upstream) -> str:
    """Return the path and the query that are sent."""
    path = encoded(upstream.add_prefix + scope.path.removeprefix(upstream.strip_prefix))
    return f"{path}?{scope.query_string}" if scope.query_string else path


def _upstream_problem(error: UpstreamError, upstream: str) -> Problem:
    if isinstance(error, UpstreamSlow):
        return Problem(
            HTTPStatus.GATEWAY_TIMEOUT, "UPSTREAM_TIMEOUT", f"{upstream} did not answer in time", retry_after=1
        )
    if isinstance(error, UpstreamUnreachable):
        return Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "UPSTREAM_UNREACHABLE", f"{upstream} cannot be reached", retry_after=1
        )
    return Problem(HTTPStatus.BAD_GATEWAY, "UPSTREAM_BROKEN", f"{upstream} did not answer as it should", retry_after=1)


def _unauthorized(code: str, message: str) -> Problem:
    kind = "" if code == "TOKEN_MISSING" else ' error="invalid_token"'
    return Problem(HTTPStatus.UNAUTHORIZED, code, message, headers=(("www-authenticate", f"Bearer{kind}"),))


def _limit_headers(decision: Decision) -> Headers:
    return [
        ("ratelimit-limit", str(decision.limit)),
        ("ratelimit-remaining", str(decision.remaining)),
        ("ratelimit-reset", str(math.ceil(decision.reset_s))),
    ]


def _claims(caller: Caller | None) -> Headers:
    """Tell the upstream who asks; what a client sends under these names is dropped."""
    if caller is None:
        return []
    return [
        ("x-auth-user", caller.user_id),
        ("x-auth-tier", caller.tier),
        ("x-auth-scopes", " ".join(sorted(caller.scopes))),
    ]


def _peer(scope: Scope) -> str:
    return scope.client.rpartition(":")[0].strip("[]")


def _host(scope: Scope) -> str:
    return str(scope.authority or scope.headers.get("host", ""))
