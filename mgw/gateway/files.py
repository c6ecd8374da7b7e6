"""The gateway's file: read, and checked for what no type can say."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from mgw.core.errors import ConfigInvalid
from mgw.core.settings import read_struct
from mgw.gateway.definition import Gateway
from mgw.gateway.headers import networks
from mgw.gateway.paths import is_plain
from mgw.gateway.routing import is_any, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mgw.gateway.definition import Route

OWN_SERVICE = "sona"
"""The upstream that may be the recommendation service of `mgw serve`."""

_TIERS = ("anonymous", "free")


def read_gateway(path: Path) -> Gateway:
    """Read and check the file.

    Raises:
        FileUnreadable: there is no such file, or it may not be read.
        ConfigInvalid: keys are unknown or do not fit, or the gateway cannot be run so; the message lists everything.
    """
    gateway = read_struct(path, Gateway)
    faults = list(faults_of(gateway))
    if faults:
        raise ConfigInvalid(f"{path}: " + "; ".join(faults), hint="docs/gateway.md shows what there is")
    return gateway


def with_own_service(gateway: Gateway, url: str) -> Gateway:
    """Put the address of the recommendation service where its upstream leaves it out."""
    own = gateway.upstreams.get(OWN_SERVICE)
    if own is None or own.urls:
        return gateway
    return replace(gateway, upstreams={**gateway.upstreams, OWN_SERVICE: replace(own, urls=(url,))})


def faults_of(gateway: Gateway) -> Iterator[str]:
    """Find what makes a gateway that cannot be run."""
    try:
        networks(gateway.trusted_proxies)
    except ValueError as error:
        yield f"trusted_proxies: {error}"
    for tier in _TIERS:
        if tier not in gateway.limits:
            yield f"limits: there is no tier {tier}, which callers without a tier have"
    for name, limit in gateway.limits.items():
        if limit.per_minute > 60 * limit.per_second:
            yield f"limits.{name}: {limit.per_minute} a minute are never reached with {limit.per_second} a second"
    for name, upstream in gateway.upstreams.items():
        if not upstream.urls and name != OWN_SERVICE:
            yield f"upstreams.{name}.urls: there are none"
    for number, route in enumerate(gateway.routes):
        yield from _faults_of_route(route, f"routes[{number}]", gateway)
    yield from _twice(gateway.routes)


def warnings_of(gateway: Gateway) -> Iterator[str]:
    """Find what can be run and is most likely not meant."""
    missing = Counter(route.upstream for route in gateway.routes if route.upstream not in gateway.upstreams)
    for name, count in missing.items():
        yield f"{name} is not configured: {count} routes answer 503"
    for name in gateway.upstreams.keys() - {route.upstream for route in gateway.routes}:
        yield f"upstreams.{name}: no route leads there"


def _faults_of_route(route: Route, where: str, gateway: Gateway) -> Iterator[str]:
    parts = pieces(route.path)
    if not is_plain(route.path) or any(("{" in part or "}" in part) and not is_any(part) for part in parts):
        yield f"{where}.path: {route.path} is not a path of whole pieces, spelled out or in braces"
    names = [part for part in parts if is_any(part)]
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{where}.path: {name} is there twice"
    if route.scopes and route.auth != "required":
        yield f"{where}.scopes: scopes take a token, and auth is {route.auth}"
    upstream = gateway.upstreams.get(route.upstream)
    if upstream is not None and upstream.strip_prefix:
        whole = f"{gateway.prefix}{route.path}"
        if not whole.startswith(upstream.strip_prefix):
            yield f"{where}.path: {whole} does not begin with what {route.upstream} takes away, {upstream.strip_prefix}"


def _twice(routes: tuple[Route, ...]) -> Iterator[str]:
    counts = Counter((_shape(route.path), method) for route in routes for method in route.methods)
    for (path, method), count in counts.items():
        if count > 1:
            yield f"routes: {method} {'/' + '/'.join(path)} is there {count} times"


def _shape(path: str) -> tuple[str, ...]:
    return tuple("{}" if is_any(part) else part for part in pieces(path))
