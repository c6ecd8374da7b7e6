"""What the gateway's file may say: upstreams, who may ask, how often, and the table of routes."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, field

Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_-]*$")]
Url: TypeAlias = Annotated[str, Meta(pattern=r"^https?://[^/?#\s]+/?$")]
Method: TypeAlias = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
Seconds: TypeAlias = Annotated[float, Meta(gt=0)]
Count: TypeAlias = Annotated[int, Meta(ge=1)]
Auth: TypeAlias = Literal["required", "optional", "none"]
Algorithm: TypeAlias = Literal["HS256", "RS256", "ES256", "EdDSA"]


class Timeouts(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long an upstream may take.

    Attributes:
        connect_s: until there is a connection.
        first_byte_s: from then on until the answer begins.
        idle_s: between two pieces of a body.
        total_s: for everything.
    """

    connect_s: Seconds = 1.0
    first_byte_s: Seconds = 10.0
    idle_s: Seconds = 30.0
    total_s: Seconds = 60.0


class BreakerSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When an upstream is left alone.

    Attributes:
        failures: at least so many in the window, answers of 5xx among them.
        error_rate: and at least this share of the requests.
        window_s: how far it looks back.
        open_s: for how long it is left alone.
        probes: requests that are let pass then, to see whether it is well.
        slow_s: an answer that begins later is a failure; none means that none is.
    """

    failures: Count = 10
    error_rate: Annotated[float, Meta(gt=0, le=1)] = 0.5
    window_s: Seconds = 10.0
    open_s: Seconds = 2.0
    probes: Count = 1
    slow_s: Seconds | None = None


class Retries(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How often a request that may be sent twice is sent again, to another instance where there is one.

    Attributes:
        attempts: besides the first.
        budget: retries as a share of the requests of the last ten seconds; 0 is none.
    """

    attempts: Annotated[int, Meta(ge=0, le=5)] = 1
    budget: Annotated[float, Meta(ge=0, le=1)] = 0.2


class Upstream(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What stands behind the gateway.

    Attributes:
        urls: of its instances, scheme, host and port; `sona` may leave them out, and is then the recommendation service
            that `mgw serve` runs.
        strip_prefix: taken from the path before it is sent; in its place comes `add_prefix`.
        add_prefix: put before what is left.
        timeouts: of its answers.
        breaker: when it is left alone.
        retries: how often it is asked again.
    """

    urls: tuple[Url, ...] = ()
    strip_prefix: str = ""
    add_prefix: str = ""
    timeouts: Timeouts = field(default_factory=Timeouts)
    breaker: BreakerSettings = field(default_factory=BreakerSettings)
    retries: Retries = field(default_factory=Retries)


class Keys(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What tokens are verified with: one of the three.

    Attributes:
        secret_file: a file whose content is the secret of HS256, of 32 bytes at least.
        secret_env: an environment variable that holds it.
        public_key_file: a file with a public key as PEM.
    """

    secret_file: str | None = None
    secret_env: str | None = None
    public_key_file: str | None = None


class Tokens(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """JSON Web Tokens (RFC 7519).

    Attributes:
        algorithms: that are taken; a token that names another is refused.
        keys: that verify.
        issuer: who has to have made them; none takes any.
        audience: whom they have to be for; none takes any.
        leeway_s: how far clocks may be apart.
        required_claims: that have to be there, besides `exp` and `sub`.
        tier_claim: which claim names the tier of the limits.
        cache_entries: verified tokens that a worker remembers, each until it expires.
    """

    algorithms: Annotated[tuple[Algorithm, ...], Meta(min_length=1)] = ("HS256",)
    keys: Keys = field(default_factory=Keys)
    issuer: str | None = None
    audience: str | None = None
    leeway_s: Annotated[float, Meta(ge=0)] = 30.0
    required_claims: tuple[str, ...] = ()
    tier_claim: str = "tier"
    cache_entries: Annotated[int, Meta(ge=0)] = 10_000


class Limit(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How often one caller may ask.

    Attributes:
        per_second: over time.
        per_minute: over time.
        burst: how many may come at once.
    """

    per_second: Count
    per_minute: Count
    burst: Count


class Cache(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a worker keeps of answers.

    Attributes:
        size_bytes: together.
        object_bytes: the longest body.
    """

    size_bytes: Count = 67_108_864
    object_bytes: Count = 1_048_576


class RouteCache(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """That answers of a route are cached, as their headers say.

    Attributes:
        ttl_s: for how long those that do not say so are kept; none means not at all.
    """

    ttl_s: Seconds | None = None


class Route(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Paths that go to an upstream.

    Attributes:
        path: below the prefix; `{name}` stands for one piece, and only one, of the path.
        methods: that it takes.
        upstream: where it goes.
        auth: whether a token has to be there; a bad one is refused where it is optional, too.
        scopes: that the token has to have, in `scope` or `scopes`.
        timeouts: in place of the upstream's.
        body_limit_bytes: in place of the gateway's.
        cache: whether and how long answers are kept; none means not at all.
    """

    path: Annotated[str, Meta(pattern=r"^/[^?#\s]*$")]
    methods: Annotated[tuple[Method, ...], Meta(min_length=1)] = ("GET",)
    upstream: Name
    auth: Auth = "required"
    scopes: tuple[str, ...] = ()
    timeouts: Timeouts | None = None
    body_limit_bytes: Count | None = None
    cache: RouteCache | None = None


TIERS = {
    "anonymous": Limit(per_second=5, per_minute=100, burst=10),
    "free": Limit(per_second=10, per_minute=200, burst=20),
    "pro": Limit(per_second=50, per_minute=1_000, burst=100),
    "enterprise": Limit(per_second=200, per_minute=5_000, burst=400),
}


class Gateway(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The gateway.

    Attributes:
        host: the address to listen on.
        port: the port.
        workers: processes that answer.
        prefix: of every route.
        trusted_proxies: addresses and networks whose `X-Forwarded-For` is believed.
        header_limit_bytes: the longest head of a request.
        body_limit_bytes: the longest body of a request.
        body_timeout_s: how long a client may take to send the next piece of a body.
        drain_s: how long requests that are under way may take when it is to end.
        upstreams: by name.
        tokens: who may ask.
        limits: by tier; a token without a tier is `free`, nobody's is `anonymous`.
        cache: what is kept of answers.
        routes: the table.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)] = 8080
    workers: Count = 1
    prefix: Annotated[str, Meta(pattern=r"^(/[^/?#\s]+)*$")] = "/api/v1"
    trusted_proxies: tuple[str, ...] = ()
    header_limit_bytes: Count = 16_384
    body_limit_bytes: Count = 1_048_576
    body_timeout_s: Seconds = 10.0
    drain_s: Count = 30
    upstreams: dict[Name, Upstream] = field(default_factory=dict)
    tokens: Tokens = field(default_factory=Tokens)
    limits: dict[Name, Limit] = field(default_factory=lambda: dict(TIERS))
    cache: Cache = field(default_factory=Cache)
    routes: tuple[Route, ...] = ()
