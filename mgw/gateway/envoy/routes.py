"""The table of routes as routes of Envoy, those with more of their path spelled out first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mgw.gateway.envoy.callers import jwt_of_route, rbac_of_route
from mgw.gateway.envoy.names import CORS, JWT, RBAC, seconds, typed
from mgw.gateway.retries import IDEMPOTENT
from mgw.gateway.routing import is_any, pieces

if TYPE_CHECKING:
    from mgw.gateway.definition import Cors, Gateway, Route, Upstream

_NOT_ALLOWED = 405


def routes_of(gateway: Gateway) -> list[dict[str, Any]]:
    """Return a route for each of ours, and behind those of a path one that refuses other methods."""
    ordered = sorted(gateway.routes, key=lambda route: [is_any(piece) for piece in pieces(route.path)])
    found = [each for route in ordered for each in _of_route(gateway, route)]
    patterns = dict.fromkeys(_pattern(gateway, route) for route in ordered)
    return [*found, *({"match": _match(each, ()), "direct_response": {"status": _NOT_ALLOWED}} for each in patterns)]


def _of_route(gateway: Gateway, route: Route) -> list[dict[str, Any]]:
    methods = (*route.methods, "HEAD") if "GET" in route.methods else route.methods
    match = _match(_pattern(gateway, route), (*methods, "OPTIONS") if route.cors else methods)
    found = []
    if route.canary is not None and route.canary.header is not None:
        value = {"exact": route.canary.value} if route.canary.value is not None else None
        header = {"name": route.canary.header, **({"string_match": value} if value else {"present_match": True})}
        to_canary = {**match, "headers": [*match["headers"], header]}
        found.append(_answered(gateway, route, to_canary, _clusters(gateway, {route.canary.upstream: 1.0})))
    return [*found, _answered(gateway, route, match, _clusters(gateway, _weights(route)))]


def _weights(route: Route) -> dict[str, float]:
    if route.canary is None or not route.canary.weight:
        return {route.upstream: 1.0}
    return {route.upstream: 1 - route.canary.weight, route.canary.upstream: route.canary.weight}


def _clusters(gateway: Gateway, weights: dict[str, float]) -> dict[str, Any] | None:
    """Return where requests go; None where an upstream is not configured."""
    if any(not (upstream := gateway.upstreams.get(name)) or not upstream.urls for name in weights):
        return None
    if len(weights) == 1:
        return {"cluster": next(iter(weights))}
    shares = [{"name": name, "weight": round(10_000 * weight)} for name, weight in weights.items()]
    return {"weighted_clusters": {"clusters": shares}}


def _answered(gateway: Gateway, route: Route, match: dict[str, Any], clusters: dict[str, Any] | None) -> dict[str, Any]:
    filters: dict[str, Any] = {JWT: jwt_of_route(route)}
    if route.scopes:
        filters[RBAC] = rbac_of_route(route)
    if route.cors is not None:
        filters[CORS] = _cors(route.cors, route.methods)
    upstream = gateway.upstreams.get(route.upstream)
    if clusters is None or upstream is None:
        return {"match": match, "direct_response": {"status": 503}, "typed_per_filter_config": filters}
    timeouts = route.timeouts or upstream.timeouts
    action: dict[str, Any] = {
        **clusters,
        "timeout": seconds(timeouts.total_s),
        "idle_timeout": seconds(max(timeouts.idle_s, timeouts.first_byte_s)),
        **_rewritten(upstream),
    }
    if upstream.retries.attempts:
        action["retry_policy"] = {
            "retry_on": "connect-failure,refused-stream,reset-before-request,retriable-status-codes",
            "retriable_status_codes": [502, 503, 504],
            "num_retries": upstream.retries.attempts,
            "retriable_request_headers": [{"name": ":method", "string_match": _one_of(sorted(IDEMPOTENT))}],
            "retry_host_predicate": [
                {
                    "name": "envoy.retry_host_predicates.previous_hosts",
                    "typed_config": typed("retry.host.previous_hosts.v3.PreviousHostsPredicate"),
                }
            ],
        }
    if route.websocket:
        action |= {"upgrade_configs": [{"upgrade_type": "websocket"}], "timeout": "0s"}
    return {"match": match, "route": action, "typed_per_filter_config": filters}


def _rewritten(upstream: Upstream) -> dict[str, Any]:
    if not (upstream.strip_prefix or upstream.add_prefix):
        return {}
    pattern = {"regex": f"^{re.escape(upstream.strip_prefix)}"}
    return {"regex_rewrite": {"pattern": pattern, "substitution": upstream.add_prefix}}


def _pattern(gateway: Gateway, route: Route) -> str:
    parts = pieces(f"{gateway.prefix}{route.path}")
    return "".join("/[^/]+" if is_any(piece) else f"/{re.escape(piece)}" for piece in parts)


def _match(pattern: str, methods: tuple[str, ...]) -> dict[str, Any]:
    headers = [{"name": ":method", "string_match": _one_of(list(methods))}] if methods else []
    return {"safe_regex": {"regex": pattern}, "headers": headers}


def _one_of(texts: list[str]) -> dict[str, Any]:
    return {"safe_regex": {"regex": "|".join(map(re.escape, texts))}}


def _cors(cors: Cors, methods: tuple[str, ...]) -> dict[str, Any]:
    origins = [{"safe_regex": {"regex": ".*"}} if each == "*" else {"exact": each} for each in cors.origins]
    return typed(
        "filters.http.cors.v3.CorsPolicy",
        allow_origin_string_match=origins,
        allow_methods=", ".join(methods),
        allow_headers=", ".join(cors.headers),
        expose_headers=", ".join(cors.expose),
        allow_credentials=cors.credentials,
        max_age=str(cors.max_age_s),
    )
