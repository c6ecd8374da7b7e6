"""Everything that the gateway's file means for a request, made once: a plan for each route, and what plans share.

A file that is read anew makes another policy; requests that are under way keep the one that they began with.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mgw.gateway.cache.caching import Caching
from mgw.gateway.cache.store import Store
from mgw.gateway.calls import Calls
from mgw.gateway.headers import networks
from mgw.gateway.limits import Limiter, caller_of
from mgw.gateway.paths import encoded
from mgw.gateway.refusals import scope_missing, too_many, unauthorized
from mgw.gateway.routing import Routes
from mgw.gateway.tokens import TokenRefused, Verifier

if TYPE_CHECKING:
    from mgw.gateway.definition import Auth, Gateway, Route, Timeouts
    from mgw.gateway.exchange import Exchange
    from mgw.gateway.limits import Decision
    from mgw.gateway.tokens import Caller
    from mgw.gateway.transport import Transport


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done with the requests of one route.

    Attributes:
        template: of the path, with the prefix.
        auth: whether a token has to be there.
        scopes: that it has to have.
        upstream: its name.
        calls: to it; None where it is not configured.
        strip_prefix: taken from the path before it is sent.
        add_prefix: put in its place.
        timeouts: of the answer.
        body_limit_bytes: of the request.
        is_cached: whether answers may be kept.
        ttl_s: for how long, where they do not say so themselves.
    """

    template: str
    auth: Auth
    scopes: tuple[str, ...]
    upstream: str
    calls: Calls | None
    strip_prefix: str
    add_prefix: str
    timeouts: Timeouts | None
    body_limit_bytes: int
    is_cached: bool
    ttl_s: float | None

    def target(self, exchange: Exchange) -> str:
        """Return the path and the query that are sent."""
        path = encoded(self.add_prefix + exchange.path.removeprefix(self.strip_prefix))
        return f"{path}?{exchange.query}" if exchange.query else path


class Policy:
    """What the file means.

    Args:
        gateway: what it says.
        transport: to the upstreams.
        key: that verifies tokens; None where no route takes one.
    """

    def __init__(self, gateway: Gateway, transport: Transport, key: Any) -> None:  # noqa: ANN401 - of the library of tokens
        self.gateway = gateway
        self.verifier = None if key is None else Verifier(gateway.tokens, key, gateway.limits, time.time)
        self.limiter = Limiter(gateway.limits, time.monotonic)
        self.trusted = networks(gateway.trusted_proxies)
        self.calls = {name: Calls(name, upstream, transport) for name, upstream in gateway.upstreams.items()}
        self.cache = Caching(Store(gateway.cache.size_bytes), gateway.cache.object_bytes)
        self.routes = Routes(gateway.routes, gateway.prefix, self._plan)

    def caller(self, exchange: Exchange, plan: Plan) -> Caller | None:
        """Find out who asks.

        Raises:
            Problem: a token is missing where it is required, not valid, or not good for the route.
        """
        if plan.auth == "none":
            return None
        given = exchange.named.get("authorization")
        if given is None:
            if plan.auth == "optional":
                return None
            raise unauthorized("TOKEN_MISSING", "this takes a token: Authorization: Bearer …")
        scheme, _, token = given.partition(" ")
        if scheme.lower() != "bearer" or not token or self.verifier is None:
            raise unauthorized("TOKEN_INVALID", "the authorization is not a bearer token")
        try:
            caller = self.verifier.caller(token.strip())
        except TokenRefused as refused:
            raise unauthorized(refused.code, refused.message) from None
        exchange.user_id = caller.user_id
        if plan.scopes and (missing := [name for name in plan.scopes if name not in caller.scopes]):
            raise scope_missing(missing)
        return caller

    def count(self, exchange: Exchange, caller: Caller | None) -> Decision:
        """Count a request for its caller.

        Raises:
            Problem: there were too many.
        """
        if caller is None:
            decision = self.limiter.ask("anonymous", f"address:{caller_of(exchange.client)}")
        else:
            decision = self.limiter.ask(caller.tier, f"user:{caller.user_id}")
        if not decision.allowed:
            raise too_many(decision)
        return decision

    def _plan(self, route: Route, template: str) -> Plan:
        calls = self.calls.get(route.upstream)
        upstream = calls.upstream if calls else None
        return Plan(
            template=template,
            auth=route.auth,
            scopes=route.scopes,
            upstream=route.upstream,
            calls=calls,
            strip_prefix=upstream.strip_prefix if upstream else "",
            add_prefix=upstream.add_prefix if upstream else "",
            timeouts=route.timeouts or (upstream.timeouts if upstream else None),
            body_limit_bytes=route.body_limit_bytes or self.gateway.body_limit_bytes,
            is_cached=route.cache is not None,
            ttl_s=route.cache.ttl_s if route.cache else None,
        )
