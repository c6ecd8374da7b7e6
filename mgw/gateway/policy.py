"""Everything that the gateway's file means for a request, made once: a plan for each route, and what plans share.

A file that is read anew makes another policy; requests that are under way keep the one that they began with, and what
did not change is taken over: what callers asked for, what is kept of answers, how upstreams stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

import msgspec

from mgw.gateway.body import WHOLE_BYTES, BodyLimits
from mgw.gateway.cache.caching import Caching
from mgw.gateway.cache.second_level import SecondLevel
from mgw.gateway.cache.serving import Given
from mgw.gateway.cache.store import Store
from mgw.gateway.calls import Calls
from mgw.gateway.cors import CorsPolicy
from mgw.gateway.counting import UpstreamCounts
from mgw.gateway.headers import networks
from mgw.gateway.limits import Limiter, caller_of, hash_of, rates_of
from mgw.gateway.paths import encoded
from mgw.gateway.refusals import no_keys, no_such_path, not_allowed, scope_missing, too_many, unauthorized
from mgw.gateway.replies import JSON
from mgw.gateway.routing import NotAllowed, Routes, shape
from mgw.gateway.shared import open_together
from mgw.gateway.tokens import TokenRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mgw.gateway.counting import Counts
    from mgw.gateway.definition import Auth, Cache, Canary, Gateway, Route, Subject, Timeouts, Upstream
    from mgw.gateway.exchange import Exchange
    from mgw.gateway.limits import Decision, Rate
    from mgw.gateway.shared import Shared
    from mgw.gateway.tokens import Caller, Verifier
    from mgw.gateway.transport import Transport


@dataclass(frozen=True, slots=True)
class Leg:
    """The way to one upstream.

    Attributes:
        upstream: its name.
        calls: to it; None where it is not configured.
        strip_prefix: taken from the path before it is sent.
        add_prefix: put in its place.
        timeouts: of the answer.
    """

    upstream: str
    calls: Calls | None
    strip_prefix: str
    add_prefix: str
    timeouts: Timeouts | None

    def target(self, path: str, query: str) -> str:
        """Return the path and the query that are sent."""
        sent = encoded(self.add_prefix + path.removeprefix(self.strip_prefix))
        return f"{sent}?{query}" if query else sent


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done with the requests of one route.

    Attributes:
        template: of the path, with the prefix.
        auth: whether a token has to be there.
        scopes: that it has to have.
        subject: where a request names the user that it is about.
        leg: where they go.
        other: where some of them go instead.
        canary: which of them.
        limits: of the body of a request.
        is_cached: whether answers may be kept.
        ttl_s: for how long, where they do not say so themselves.
        negative_ttl_s: the same for answers that there is nothing.
        rates: of the route's own limit; none has none.
        limited_by: whose requests are counted together for it.
        cors: what other origins may do; None leaves it to the upstream.
        fallback: given where the upstream has no answer.
        is_websocket: whether the path is for WebSockets.
    """

    template: str
    auth: Auth
    scopes: tuple[str, ...]
    subject: Subject | None
    leg: Leg
    other: Leg | None
    canary: Canary | None
    limits: BodyLimits
    is_cached: bool
    ttl_s: float | None
    negative_ttl_s: float | None
    rates: tuple[Rate, ...]
    limited_by: str
    cors: CorsPolicy | None
    fallback: Given | None
    is_websocket: bool

    def leg_of(self, exchange: Exchange) -> Leg:
        """Return where a request goes; a caller goes the same way each time."""
        canary = self.canary
        if canary is None or self.other is None:
            return self.leg
        if canary.header is not None and (given := exchange.named.get(canary.header.lower())) is not None:
            return self.other if canary.value in {None, given} else self.leg
        place = crc32(f"{self.template} {exchange.user_id or exchange.client}".encode()) / 2**32
        return self.other if place < canary.weight else self.leg


@dataclass(frozen=True, slots=True)
class Means:
    """What a worker has, whatever its file says.

    Attributes:
        transport: to the upstreams.
        counts: what comes of requests.
        limiter: what callers asked for.
        shared: what gateways share; None where each worker is by itself.
    """

    transport: Transport
    counts: Counts
    limiter: Limiter
    shared: Shared | None


class Policy:
    """What the file means.

    Args:
        gateway: what it says.
        verifier: of tokens; None where no route takes one.
        means: what it is done with.
        before: what the file meant before, for what is taken over.
    """

    def __init__(self, gateway: Gateway, verifier: Verifier | None, means: Means, before: Policy | None = None) -> None:
        self.gateway = gateway
        self.verifier = verifier
        self.trusted = networks(gateway.trusted_proxies)
        self.metrics_from = networks(gateway.metrics_from)
        self.share = gateway.telemetry.share if gateway.telemetry else 0.0
        self._means = means
        self._rates = {tier: rates_of(limit) for tier, limit in gateway.limits.items()}
        self.calls = {name: self._calls_to(name, upstream, before) for name, upstream in gateway.upstreams.items()}
        is_same = before is not None and before.gateway.cache == gateway.cache
        self.cache: Caching = (
            before.cache if before is not None and is_same else make_cache(gateway.cache, means.shared)
        )
        self._api_key_header = gateway.api_key_header.lower()
        self._methods: dict[tuple[str, ...], set[str]] = {}
        for route in gateway.routes:
            self._methods.setdefault(shape(route.path), set()).update(route.methods)
        self._routes = Routes(gateway.routes, gateway.prefix, self._plan)

    def plan(self, exchange: Exchange) -> Plan:
        """Find what is done with a request.

        Raises:
            Problem: there is no such path, or it does not take the method.
        """
        found = self._routes.find(exchange.method, exchange.path)
        if found is None:
            raise no_such_path()
        if isinstance(found, NotAllowed):
            raise not_allowed(found.methods)
        exchange.template = found.template
        return found

    def asked_about(self, exchange: Exchange) -> CorsPolicy | None:
        """Return by what a preflight is answered; None where it is none, or where the upstream answers it."""
        method = exchange.named.get("access-control-request-method")
        if exchange.method != "OPTIONS" or method is None:
            return None
        found = self._routes.find(method, exchange.path)
        if found is None or isinstance(found, NotAllowed) or found.cors is None:
            return None
        exchange.template = found.template
        return found.cors

    async def caller(self, exchange: Exchange, plan: Plan) -> Caller | None:
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
        token = token.strip()
        if self.verifier.lacks_key_of(token):
            await self.verifier.fetch_keys()
            if not self.verifier.is_ready:
                raise no_keys()
        try:
            caller = self.verifier.caller(token)
        except TokenRefused as refused:
            await self._count_refused(exchange)
            raise unauthorized(refused.code, refused.message) from None
        exchange.user_id = caller.user_id
        if plan.scopes and (missing := [name for name in plan.scopes if name not in caller.scopes]):
            raise scope_missing(missing)
        return caller

    async def count(self, exchange: Exchange, plan: Plan, caller: Caller | None) -> Decision:
        """Count a request for its caller, and for its route where that has a limit of its own.

        Raises:
            Problem: there were too many.
        """
        who = f"user:{caller.user_id}" if caller else _address(exchange)
        tier = caller.tier if caller else "anonymous"
        decision = await self._ask(tier, who, self._rates[tier])
        if not decision.allowed:
            self._means.counts.limited(tier)
            raise too_many(decision)
        if plan.rates:
            of_route = await self._ask(plan.template, self._counted_as(exchange, plan, who), plan.rates)
            if not of_route.allowed:
                self._means.counts.limited("route")
                raise too_many(of_route)
            if of_route.remaining < decision.remaining:
                return of_route
        return decision

    async def _count_refused(self, exchange: Exchange) -> None:
        """Count a bad token as a request of nobody: whoever guesses may do it as often as nobody may ask.

        Raises:
            Problem: there were too many.
        """
        decision = await self._ask("anonymous", _address(exchange), self._rates["anonymous"])
        if not decision.allowed:
            self._means.counts.limited("anonymous")
            raise too_many(decision)

    async def _ask(self, group: str, who: str, rates: Sequence[Rate]) -> Decision:
        shared = self._means.shared
        if shared is None:
            return self._means.limiter.ask(group, who, rates)
        return await shared.ask(group, who, rates, self._means.limiter)

    def places(self, url: str) -> Iterator[str]:
        """Yield where the cache keeps answers to a path and query, as clients ask for them."""
        path, _, query = url.partition("?")
        found = self._routes.find("GET", path)
        if found is not None and not isinstance(found, NotAllowed):
            for leg in filter(None, (found.leg, found.other)):
                yield f"{leg.upstream} {leg.target(path, query)}"

    def prefixes(self, prefix: str) -> Iterator[str]:
        """Yield what the cache's places begin with where a path begins so, as clients ask for it."""
        for name, upstream in self.gateway.upstreams.items():
            if upstream.strip_prefix.startswith(prefix):
                yield f"{name} {encoded(upstream.add_prefix)}"
            elif prefix.startswith(upstream.strip_prefix):
                yield f"{name} {encoded(upstream.add_prefix + prefix.removeprefix(upstream.strip_prefix))}"

    def _counted_as(self, exchange: Exchange, plan: Plan, who: str) -> str:
        if plan.limited_by == "route":
            return "everybody"
        if plan.limited_by == "caller":
            return who
        key = exchange.named.get(self._api_key_header) if plan.limited_by == "api_key" else None
        return _address(exchange) if key is None else f"key:{hash_of(key)}"

    def _calls_to(self, name: str, upstream: Upstream, before: Policy | None) -> Calls:
        known = before.calls.get(name) if before else None
        if known is not None and known.upstream == upstream:
            return known
        on_open = open_together(self._means.shared, name) if self._means.shared else lambda: None
        return Calls(name, upstream, self._means.transport, UpstreamCounts(self._means.counts, name), on_open=on_open)

    def _limits(self, route: Route) -> BodyLimits:
        size_bytes = route.body_limit_bytes or self.gateway.body_limit_bytes
        is_read = route.subject is not None and route.subject.body is not None
        return BodyLimits(size_bytes, size_bytes if is_read else WHOLE_BYTES, self.gateway.body_timeout_s)

    def _leg(self, upstream: str, route: Route) -> Leg:
        calls = self.calls.get(upstream)
        if calls is None:
            return Leg(upstream, None, "", "", None)
        known = calls.upstream
        return Leg(upstream, calls, known.strip_prefix, known.add_prefix, route.timeouts or known.timeouts)

    def _plan(self, route: Route, template: str) -> Plan:
        fallback = route.fallback
        return Plan(
            template=template,
            auth=route.auth,
            scopes=route.scopes,
            subject=route.subject,
            leg=self._leg(route.upstream, route),
            other=self._leg(route.canary.upstream, route) if route.canary else None,
            canary=route.canary,
            limits=self._limits(route),
            is_cached=route.cache is not None,
            ttl_s=route.cache.ttl_s if route.cache else None,
            negative_ttl_s=route.cache.negative_ttl_s if route.cache else None,
            rates=rates_of(route.limit) if route.limit else (),
            limited_by=route.limit.by if route.limit else "",
            cors=CorsPolicy(route.cors, tuple(self._methods[shape(route.path)])) if route.cors else None,
            fallback=Given(fallback.status, [JSON], msgspec.json.encode(fallback.body), "") if fallback else None,
            is_websocket=route.websocket,
        )


def _address(exchange: Exchange) -> str:
    return f"address:{caller_of(exchange.client)}"


def make_cache(cache: Cache, shared: Shared | None) -> Caching:
    """Make what keeps answers, with Redis behind it where they are shared."""
    second = SecondLevel(shared) if shared is not None and cache.shared else None
    return Caching(Store(cache.size_bytes), cache.object_bytes, second=second)
