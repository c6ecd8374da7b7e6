"""What the gateway's file may say."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from mgw.gateway.definition.basics import Count, Header, Name, Network, Port, Seconds, Share
from mgw.gateway.definition.callers import TIERS, Limit, Tokens
from mgw.gateway.definition.routes import Cache, Route
from mgw.gateway.definition.upstreams import Upstream

PRIVATE = ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
"""Networks that are not of the internet (RFC 1918, RFC 4193)."""


class Tls(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the gateway shows to prove who it is.

    Attributes:
        cert_file: the certificate and those above it, as PEM.
        key_file: its key, as PEM.
        min_version: of TLS.
    """

    cert_file: str
    key_file: str
    min_version: Literal["1.2", "1.3"] = "1.3"


class Redis(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What gateways share: limits, whether upstreams are left alone, and answers, where `cache.shared` says so.

    Attributes:
        url: as `redis://host:6379/0`; one with a password belongs into `url_env`.
        url_env: an environment variable that holds it.
        prefix: of all keys.
        timeout_s: of a question.
        when_away: what limits do without it: `local` counts in each worker, `open` lets pass, `closed` refuses.
    """

    url: Annotated[str, Meta(pattern=r"^rediss?://\S+$")] | None = None
    url_env: str | None = None
    prefix: Annotated[str, Meta(min_length=1, max_length=64)] = "mgw"
    timeout_s: Seconds = 0.25
    when_away: Literal["local", "open", "closed"] = "local"


class Telemetry(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Spans for OpenTelemetry.

    Attributes:
        endpoint: of a collector, for OTLP over HTTP, as `http://localhost:4318/v1/traces`.
        service: the name that the gateway has there.
        share: of the requests that begin a trace here; a trace that came along says itself whether it is kept.
    """

    endpoint: Annotated[str, Meta(pattern=r"^https?://\S+$")]
    service: str = "mgw-gateway"
    share: Share = 0.1


class Admin(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A port on 127.0.0.1, for whoever looks after the gateway; it takes a token.

    Attributes:
        port: the port.
        token_file: a file with the token; none means one of this machine's own, made beside the project's data.
    """

    port: Port = 8090
    token_file: str | None = None


class Gateway(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The gateway.

    Attributes:
        host: the address to listen on.
        port: the port.
        workers: processes that answer; `auto` is one for each processor.
        prefix: of every route.
        trusted_proxies: addresses and networks whose `X-Forwarded-For` is believed.
        header_limit_bytes: the longest head of a request.
        body_limit_bytes: the longest body of a request.
        body_timeout_s: how long a client may take to send the next piece of a body.
        header_timeout_s: how long a client may take to send the head of a request.
        client_timeout_s: how long a client may take nothing of a long answer.
        drain_s: how long requests that are under way may take when it is to end.
        connections: that a worker keeps open at once.
        concurrency: requests under way in a worker at once; what comes above is refused at once (503 `OVERLOADED`).
        transport: which library asks upstreams.
        tls: certificate and key; none means HTTP without TLS.
        http2: whether HTTP/2 is spoken, too; none means with TLS, as browsers do. It takes 12 KB more of a connection.
        upstreams: by name.
        tokens: who may ask.
        limits: by tier; a token without a tier is `free`, nobody's is `anonymous`.
        cache: what is kept of answers.
        redis: where gateways share what they know; none means that each worker knows its own.
        api_key_header: where API keys are, for limits by them.
        metrics_from: addresses and networks that may read `/metrics`.
        telemetry: where spans go; none means nowhere.
        admin: a port of the machine's own, for whoever looks after the gateway; none means none.
        routes: the table.
    """

    host: str = "127.0.0.1"
    port: Port = 8080
    workers: Count | Literal["auto"] = 1
    prefix: Annotated[str, Meta(pattern=r"^(/[^/?#\s]+)*$")] = "/api/v1"
    trusted_proxies: tuple[Network, ...] = ()
    header_limit_bytes: Count = 16_384
    body_limit_bytes: Count = 1_048_576
    body_timeout_s: Seconds = 10.0
    header_timeout_s: Seconds = 30.0
    client_timeout_s: Seconds = 60.0
    drain_s: Count = 30
    connections: Count = 16_384
    concurrency: Count = 4_096
    transport: Literal["pyreqwest", "aiohttp"] = "pyreqwest"
    tls: Tls | None = None
    http2: bool | None = None
    upstreams: dict[Name, Upstream] = field(default_factory=dict)
    tokens: Tokens = field(default_factory=Tokens)
    limits: dict[Name, Limit] = field(default_factory=lambda: dict(TIERS))
    cache: Cache = field(default_factory=Cache)
    redis: Redis | None = None
    api_key_header: Header = "x-api-key"
    metrics_from: tuple[Network, ...] = PRIVATE
    telemetry: Telemetry | None = None
    admin: Admin | None = None
    routes: tuple[Route, ...] = ()
