"""What is wrong with a gateway's file, beyond what its types can say, and what is most likely not meant."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from mgw.gateway.headers import networks
from mgw.gateway.paths import OWN_PATHS, is_plain
from mgw.gateway.routing import is_any, pieces, shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.gateway.definition import Gateway, Limit, Route, RouteLimit

OWN_SERVICE = "sona"
"""The upstream that may be the recommendation service of `mgw serve`."""

Faults: TypeAlias = "Iterator[tuple[str, str]]"
"""Keys, and what is wrong with each."""

_TIERS = ("anonymous", "free")


def faults_of(gateway: Gateway) -> Faults:
    """Find what makes a gateway that cannot be run."""
    if not gateway.routes:
        yield "routes", "there are none"
    yield from _faults_of_networks(gateway)
    yield from _faults_of_limits(gateway)
    if gateway.admin is not None and gateway.admin.port == gateway.port:
        yield "admin.port", f"{gateway.port} is the gateway's own"
    if gateway.cache.shared and gateway.redis is None:
        yield "cache.shared", "there is no redis to share answers in"
    yield from _faults_of_urls(gateway)
    for number, route in enumerate(gateway.routes):
        where = f"routes[{number}]"
        yield from _faults_of_path(route, where, gateway)
        yield from _faults_of_subject(route, where)
        yield from _faults_of_options(route, where)
    yield from _twice(gateway.routes)


def warnings_of(gateway: Gateway) -> Iterator[str]:
    """Find what can be run and is most likely not meant."""
    asked = [name for route in gateway.routes for name in _upstreams_of(route)]
    for name, count in Counter(name for name in asked if name not in gateway.upstreams).items():
        yield f"{name} is not configured: {count} routes answer 503"
    for name in sorted(gateway.upstreams.keys() - set(asked)):
        yield f"upstreams.{name}: no route leads there"


def _faults_of_networks(gateway: Gateway) -> Faults:
    for key in ("trusted_proxies", "metrics_from"):
        try:
            networks(getattr(gateway, key))
        except ValueError as error:
            yield key, str(error)


def _faults_of_urls(gateway: Gateway) -> Faults:
    found = {
        f"upstreams.{name}.urls[{n}]": url for name, up in gateway.upstreams.items() for n, url in enumerate(up.urls)
    }
    for name, upstream in gateway.upstreams.items():
        if not upstream.urls and name != OWN_SERVICE:
            yield f"upstreams.{name}.urls", "there are none"
    if gateway.tokens.keys.jwks_url is not None:
        found["tokens.keys.jwks_url"] = gateway.tokens.keys.jwks_url
    if gateway.telemetry is not None:
        found["telemetry.endpoint"] = gateway.telemetry.endpoint
    for key, url in found.items():
        if not _is_url(url):
            yield key, "there is no host, or no port, that can be read in it"


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _faults_of_limits(gateway: Gateway) -> Faults:
    for tier in _TIERS:
        if tier not in gateway.limits:
            yield "limits", f"there is no tier {tier}, which callers without a tier have"
    for name, limit in gateway.limits.items():
        yield from _unreachable(limit, f"limits.{name}")


def _unreachable(limit: Limit | RouteLimit, where: str) -> Faults:
    """Find rates that can never be reached, because another one is reached before."""
    if limit.per_minute > 60 * limit.per_second:
        yield f"{where}.per_minute", f"{limit.per_minute} are never reached with {limit.per_second} a second"
    if limit.burst > limit.per_minute:
        yield f"{where}.burst", f"{limit.burst} are never reached with {limit.per_minute} a minute"


def _faults_of_path(route: Route, where: str, gateway: Gateway) -> Faults:
    where, parts, whole = f"{where}.path", pieces(route.path), f"{gateway.prefix}{route.path}"
    if not is_plain(route.path) or any(("{" in part or "}" in part) and not is_any(part) for part in parts):
        yield where, f"{route.path} is not a path of whole pieces, spelled out or in braces"
    for name, count in Counter(part for part in parts if is_any(part)).items():
        if count > 1:
            yield where, f"{name} is there twice"
    if {route.path, whole} & {f"{prefix}{path}" for path in OWN_PATHS for prefix in ("", gateway.prefix)}:
        yield where, f"{route.path} is the gateway's own, and never reached"
    for name in _upstreams_of(route):
        upstream = gateway.upstreams.get(name)
        if upstream is not None and not whole.startswith(upstream.strip_prefix):
            yield where, f"{whole} does not begin with what {name} takes away, {upstream.strip_prefix}"


def _faults_of_subject(route: Route, where: str) -> Faults:
    subject = route.subject
    if subject is None:
        return
    if route.auth == "none":
        yield f"{where}.subject", "nobody can be told apart where auth is none"
    if subject.path is None and subject.body is None:
        yield f"{where}.subject", "name where the user is: path or body"
    if subject.path is not None and f"{{{subject.path}}}" not in pieces(route.path):
        yield f"{where}.subject.path", f"there is no {{{subject.path}}} in {route.path}"


def _faults_of_options(route: Route, where: str) -> Faults:
    if route.scopes and route.auth != "required":
        yield f"{where}.scopes", f"scopes take a token, and auth is {route.auth}"
    if route.cors is not None and route.cors.credentials and "*" in route.cors.origins:
        yield f"{where}.cors.origins", "`*` does not go with credentials; name the origins"
    if route.canary is not None and not (route.canary.weight or route.canary.header):
        yield f"{where}.canary", f"nobody goes to {route.canary.upstream}: it takes a weight or a header"
    if route.websocket and (route.cache or route.fallback or route.methods != ("GET",)):
        yield f"{where}.websocket", "a path for WebSockets takes GET alone, and neither cache nor fallback"
    if route.limit is not None:
        yield from _unreachable(route.limit, f"{where}.limit")


def _twice(routes: tuple[Route, ...]) -> Faults:
    first: dict[tuple[tuple[str, ...], str], int] = {}
    for number, route in enumerate(routes):
        for method in dict.fromkeys(route.methods):
            before = first.setdefault((shape(route.path), method), number)
            if before != number:
                yield f"routes[{number}].path", f"{method} {route.path} is never reached: routes[{before}] takes it"


def _upstreams_of(route: Route) -> tuple[str, ...]:
    return (route.upstream,) if route.canary is None else (route.upstream, route.canary.upstream)
