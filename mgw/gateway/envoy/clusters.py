"""Upstreams as clusters of Envoy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mgw.gateway.envoy.names import JWKS_CLUSTER, seconds, typed
from mgw.gateway.instances import FAILURES_IN_A_ROW, LEFT_OUT_S

if TYPE_CHECKING:
    from mgw.gateway.definition import Gateway, Upstream

_PORTS = {"http": 80, "https": 443}
_AUTHORITIES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, Red Hat
    "/etc/ssl/cert.pem",  # macOS, BSD
)


def clusters_of(gateway: Gateway) -> list[dict[str, Any]]:
    """Return a cluster for each upstream that has instances, and one for published keys."""
    found = [_cluster(name, upstream) for name, upstream in gateway.upstreams.items() if upstream.urls]
    url = gateway.tokens.keys.jwks_url
    if url is not None:
        found.append(_bare_cluster(JWKS_CLUSTER, (url,), gateway.tokens.jwks.timeout_s))
    return found


def _cluster(name: str, upstream: Upstream) -> dict[str, Any]:
    breaker, check, is_alone = upstream.breaker, upstream.health, len(upstream.urls) == 1
    threshold: dict[str, Any] = {
        "retry_budget": {"budget_percent": {"value": 100 * upstream.retries.budget}, "min_retry_concurrency": 3}
    }
    if upstream.concurrency is not None:
        threshold["max_requests"] = upstream.concurrency
    cluster = {
        **_bare_cluster(name, upstream.urls, upstream.timeouts.connect_s),
        "lb_policy": "LEAST_REQUEST",
        "circuit_breakers": {"thresholds": [threshold]},
        # Envoy counts instances, and not the whole upstream: each is left out by itself.
        "outlier_detection": {
            "consecutive_5xx": breaker.failures if is_alone else FAILURES_IN_A_ROW,
            "interval": seconds(min(breaker.window_s, 1.0)),
            "base_ejection_time": seconds(breaker.open_s if is_alone else LEFT_OUT_S),
            "max_ejection_percent": 100,
        },
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
    }
    if check is not None:
        cluster["health_checks"] = [
            {
                "timeout": seconds(check.timeout_s), "interval": seconds(check.interval_s),
                "unhealthy_threshold": check.unhealthy, "healthy_threshold": check.healthy,
                "http_health_check": {"path": check.path, "expected_statuses": [{"start": 200, "end": 400}]},
            }
        ]  # fmt: skip
    return cluster


def _bare_cluster(name: str, urls: tuple[str, ...], connect_s: float) -> dict[str, Any]:
    parts = [urlsplit(url) for url in urls]
    endpoints = [
        {
            "endpoint": {
                "address": {
                    "socket_address": {"address": each.hostname, "port_value": each.port or _PORTS[each.scheme]}
                }
            }
        }
        for each in parts
    ]
    cluster: dict[str, Any] = {
        "name": name,
        "type": "STRICT_DNS",
        "connect_timeout": seconds(connect_s),
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]},
    }
    if parts[0].scheme == "https":
        cluster["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": typed(
                "transport_sockets.tls.v3.UpstreamTlsContext",
                sni=parts[0].hostname,
                auto_sni_san_validation=(authorities := authorities_file()) is not None,
                common_tls_context=_trusting(authorities) if authorities else {},
            ),
        }
    return cluster


def authorities_file() -> str | None:
    """Return the file of the authorities whose certificates this machine believes; None where there is none."""
    return next((path for path in _AUTHORITIES if Path(path).is_file()), None)


def _trusting(authorities: str) -> dict[str, Any]:
    """Have Envoy verify certificates, which by itself it does not."""
    return {"validation_context": {"trusted_ca": {"filename": authorities}}}
