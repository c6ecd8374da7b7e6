"""The whole configuration, and what Envoy has no equal of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from mgw.gateway.envoy.callers import OURS, jwt_filter, key_set, limit_filter
from mgw.gateway.envoy.clusters import authorities_file, clusters_of
from mgw.gateway.envoy.names import CORS, JWT, LOCAL_LIMIT, RBAC, seconds, typed
from mgw.gateway.envoy.routes import routes_of
from mgw.gateway.tokens import read_key, takes_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mgw.gateway.definition import Gateway

_HEAD = """# An Envoy configuration, made from the gateway's file by `mgw gateway export envoy`.
"""
_KIB = 1024


def keys_for_envoy(gateway: Gateway, folder: Path) -> bytes | None:
    """Return the keys that verify tokens as a file for Envoy; None where it needs none. With HS256 it is a secret.

    Raises:
        ConfigInvalid: the keys cannot be used.
    """
    if not takes_tokens(gateway) or gateway.tokens.keys.jwks_url is not None:
        return None
    return key_set(read_key(gateway.tokens, folder), gateway.tokens.algorithms[0])


def envoy_configuration(gateway: Gateway, folder: Path, keys_file: str) -> tuple[str, list[str]]:
    """Return a configuration, and what of the file it does not hold.

    Args:
        gateway: what the file says.
        folder: that relative paths in it are meant from.
        keys_file: where Envoy finds the keys of tokens; see `keys_for_envoy`.
    """
    missing = list(_missing(gateway))
    document = {
        "static_resources": {"listeners": [_listener(gateway, folder, keys_file)], "clusters": clusters_of(gateway)},
        "overload_manager": _connections(gateway),
    }
    head = _HEAD + "".join(f"# not in it: {each}\n" for each in missing)
    return head + yaml.safe_dump(document, sort_keys=False, width=120), missing


def _listener(gateway: Gateway, folder: Path, keys_file: str) -> dict[str, Any]:
    chain: dict[str, Any] = {
        "filters": [
            {
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": _connection_manager(gateway, keys_file),
            }
        ]
    }
    if gateway.tls is not None:
        certificate = {
            "certificate_chain": {"filename": str(folder / gateway.tls.cert_file)},
            "private_key": {"filename": str(folder / gateway.tls.key_file)},
        }
        parameters = {"tls_minimum_protocol_version": f"TLSv{gateway.tls.min_version.replace('.', '_')}"}
        common = {"tls_certificates": [certificate], "tls_params": parameters, "alpn_protocols": ["h2", "http/1.1"]}
        chain["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": typed("transport_sockets.tls.v3.DownstreamTlsContext", common_tls_context=common),
        }
    address = {"socket_address": {"address": gateway.host, "port_value": gateway.port}}
    return {"name": "gateway", "address": address, "filter_chains": [chain]}


def _connection_manager(gateway: Gateway, keys_file: str) -> dict[str, Any]:
    hosts = {"name": "all", "domains": ["*"], "routes": routes_of(gateway)}
    return typed(
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="gateway",
        codec_type="AUTO",
        route_config={"name": "routes", "virtual_hosts": [hosts]},
        http_filters=_filters(gateway, keys_file),
        use_remote_address=True,
        xff_num_trusted_hops=1 if gateway.trusted_proxies else 0,
        normalize_path=True,
        path_with_escaped_slashes_action="REJECT_REQUEST",
        max_request_headers_kb=max(gateway.header_limit_bytes // _KIB, 1),
        request_headers_timeout=seconds(gateway.header_timeout_s),
        drain_timeout=seconds(gateway.drain_s),
        access_log=[
            {
                "name": "envoy.access_loggers.stdout",
                "typed_config": typed("access_loggers.stream.v3.StdoutAccessLog", log_format={"json_format": _LOG}),
            }
        ],
        local_reply_config={
            "body_format": {
                "content_type": "application/json",
                "json_format": {
                    "error": {
                        "code": "%RESPONSE_CODE_DETAILS%",
                        "message": "%LOCAL_REPLY_BODY%",
                        "request_id": "%REQ(X-REQUEST-ID)%",
                    }
                },
            }
        },
    )


_LOG = {
    "method": "%REQ(:METHOD)%", "path": "%PATH(NQ)%", "status": "%RESPONSE_CODE%", "upstream": "%UPSTREAM_CLUSTER%",
    "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "user": "%REQ(X-AUTH-USER)%",
    "request_id": "%REQ(X-REQUEST-ID)%", "duration_ms": "%DURATION%",
}  # fmt: skip


def _filters(gateway: Gateway, keys_file: str) -> list[dict[str, Any]]:
    """Return what a request goes through, in the order in which the gateway does it."""
    forged = {"request_mutations": [{"remove": name} for name in OURS]}
    found = [
        (
            "envoy.filters.http.header_mutation",
            typed("filters.http.header_mutation.v3.HeaderMutation", mutations=forged),
        ),
        (CORS, typed("filters.http.cors.v3.Cors")),
    ]
    if takes_tokens(gateway):
        found.append((JWT, jwt_filter(gateway, keys_file)))
        found.append((RBAC, typed("filters.http.rbac.v3.RBAC")))
    found.append((LOCAL_LIMIT, limit_filter(gateway)))
    found.append(("envoy.filters.http.router", typed("filters.http.router.v3.Router")))
    return [{"name": name, "typed_config": config} for name, config in found]


def _connections(gateway: Gateway) -> dict[str, Any]:
    most = gateway.connections * (1 if gateway.workers == "auto" else gateway.workers)
    monitor = typed(
        "resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
        max_active_downstream_connections=most,
    )
    name = "envoy.resource_monitors.global_downstream_max_connections"
    return {"resource_monitors": [{"name": name, "typed_config": monitor}]}


def _missing(gateway: Gateway) -> Iterator[str]:
    """Name what the file has and the configuration does not."""
    routes = gateway.routes
    if any(route.cache for route in routes):
        yield "caching of answers: Envoy's cache filter is unfinished"
    if any(route.limit for route in routes):
        yield "limits of single routes"
    if any(route.fallback for route in routes):
        yield "fallback answers"
    if any(route.canary and route.canary.weight for route in routes):
        yield "callers who stay with a canary: Envoy draws anew for each request"
    if any(route.subject for route in routes):
        yield "that a request is about the token's own user (`subject`): the upstream has to see to that"
    if gateway.redis is not None:
        yield "limits, answers and breakers in Redis: limits are counted by each Envoy for itself"
    if gateway.telemetry is not None:
        yield "spans"
    if gateway.tokens.required_claims:
        yield "required claims"
    yield f"the limit of bodies, {gateway.body_limit_bytes:,} bytes: Envoy's would hold each back until it is whole"
    urls = [url for upstream in gateway.upstreams.values() for url in upstream.urls]
    if authorities_file() is None and any(
        url.startswith("https:") for url in [*urls, gateway.tokens.keys.jwks_url or ""]
    ):
        yield "VERIFYING CERTIFICATES of upstreams and issuers: this machine has no file of authorities"
    yield "dot segments of paths are resolved, and not refused"
    yield "a breaker is each instance's, by failures in a row, and not the upstream's by their share"
