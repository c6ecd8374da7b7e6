"""What the gateway counts, for `/metrics`: every family that there is, declared in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.core.metrics import FamilySample, Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from mgw.core.metrics import Distribution, Value
    from mgw.gateway.exchange import Exchange

_UNROUTED = "none"


class UpstreamCounts:
    """What is counted of one upstream.

    Attributes:
        answered: requests with an answer below 500.
        failed: with one from 500 on.
        broken: without an answer.
        refused: that were not sent, because it is left alone or has enough to do.
        retried: that were sent again.
    """

    def __init__(self, counts: Counts, name: str) -> None:
        requests = counts.upstream_requests
        self.answered: Value = requests.of(name, "answered")
        self.failed: Value = requests.of(name, "failed")
        self.broken: Value = requests.of(name, "broken")
        self.refused: Value = requests.of(name, "refused")
        self.retried: Value = counts.retries.of(name)


class _RouteCounts:
    """What is counted of one route, each child looked up once."""

    __slots__ = ("cache", "label", "requests", "seconds")

    def __init__(self, label: str, seconds: Distribution) -> None:
        self.label = label
        self.seconds = seconds
        self.requests: dict[tuple[str, int], Value] = {}
        self.cache: dict[str, Value] = {}


class Counts:
    """What one worker counts."""

    def __init__(self) -> None:
        self._registry = one = Registry()
        self._requests = one.counter(
            "mgw_gateway_requests_total", "Requests, by the template of their route.", "route", "method", "status"
        )
        self._seconds = one.histogram(
            "mgw_gateway_request_seconds", "From a request's arrival to the end of its answer.", "route"
        )
        self._cache = one.counter(
            "mgw_gateway_cache_total", "Requests on routes with a cache, by what it did.", "route", "outcome"
        )
        self._limited = one.counter("mgw_gateway_limited_total", "Requests that were refused by a limit.", "tier")
        self.upstream_requests = one.counter(
            "mgw_gateway_upstream_requests_total", "Requests to upstreams, each retry one.", "upstream", "outcome"
        )
        self.retries = one.counter("mgw_gateway_upstream_retries_total", "Requests that were sent again.", "upstream")
        self._under_way = one.gauge("mgw_gateway_requests_under_way", "Requests without an end to their answer.")
        self.breaker_open = one.gauge(
            "mgw_gateway_breaker_open", "Workers that leave an upstream alone or only probe it.", "upstream"
        )
        self.instances_left_out = one.gauge(
            "mgw_gateway_instances_left_out", "Instances that are not asked, added up over workers.", "upstream"
        )
        self.upstream_under_way = one.gauge(
            "mgw_gateway_upstream_requests_under_way", "Requests that an upstream has not answered.", "upstream"
        )
        self.cache_bytes = one.gauge("mgw_gateway_cache_bytes", "What is kept of answers, added up over workers.")
        self.cache_entries = one.gauge("mgw_gateway_cache_entries", "Answers that are kept, added up over workers.")
        self.redis_failures = one.counter("mgw_gateway_redis_failures_total", "Questions that Redis did not answer.")
        self.under_way = self._under_way.of()
        self.websockets = one.gauge("mgw_gateway_websockets", "WebSockets that are open.").of()
        self._routes: dict[str, _RouteCounts] = {}
        self.before_sample: list[Callable[[], None]] = []

    def record(self, exchange: Exchange) -> None:
        """Count a request that is done."""
        route = self._routes.get(exchange.template) or self._route(exchange.template)
        known = route.requests.get((exchange.method, exchange.status))
        (known or self._request(route, exchange)).value += 1
        trace = exchange.trace
        route.seconds.observe(exchange.seconds, trace.trace_id if trace is not None and trace.is_sampled else "")
        if exchange.cache:
            outcome = route.cache.get(exchange.cache)
            if outcome is None:
                outcome = route.cache[exchange.cache] = self._cache.of(route.label, exchange.cache)
            outcome.value += 1

    def _route(self, template: str) -> _RouteCounts:
        label = template or _UNROUTED
        return self._routes.setdefault(template, _RouteCounts(label, self._seconds.of(label)))

    def _request(self, route: _RouteCounts, exchange: Exchange) -> Value:
        if not exchange.template:  # whatever a client takes for a method
            return self._requests.of(route.label, _UNROUTED, str(exchange.status))
        found = self._requests.of(route.label, exchange.method, str(exchange.status))
        return route.requests.setdefault((exchange.method, exchange.status), found)

    def limited(self, tier: str) -> None:
        """Count a request that came too early."""
        self._limited.of(tier).add()

    def sample(self) -> list[FamilySample]:
        """Return everything, gauges as they are now."""
        for look in self.before_sample:
            look()
        return self._registry.sample()


class MainCounts:
    """What the main process counts."""

    def __init__(self) -> None:
        self._registry = Registry()
        reloads = "mgw_gateway_reloads_total", "Readings of the file while the gateway ran, by what came of it."
        self._reloads = self._registry.counter(*reloads, "outcome")
        for outcome in ("taken", "refused"):
            self._reloads.of(outcome)

    def reloaded(self, *, taken: bool) -> None:
        """Count a reading of the file."""
        self._reloads.of("taken" if taken else "refused").add()

    def sample(self) -> list[FamilySample]:
        """Return everything."""
        return self._registry.sample()
