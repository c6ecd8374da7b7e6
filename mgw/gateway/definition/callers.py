"""Who may ask, and how often."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, field

from mgw.gateway.definition.basics import Count, Seconds

Algorithm: TypeAlias = Literal["HS256", "RS256", "ES256", "EdDSA"]


class Keys(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What tokens are verified with: one of these.

    Attributes:
        secret_file: a file whose content is the secret of HS256, of 32 bytes at least.
        secret_env: an environment variable that holds it.
        public_key_file: a file with a public key as PEM.
        jwks_url: where the issuer publishes its keys (RFC 7517).
        jwks_file: a file with such a set.
    """

    secret_file: str | None = None
    secret_env: str | None = None
    public_key_file: str | None = None
    jwks_url: Annotated[str, Meta(pattern=r"^https?://[^\s]+$")] | None = None
    jwks_file: str | None = None


class Jwks(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a set of keys is kept up to date.

    Attributes:
        refresh_s: it is fetched anew so often; while that fails, the keys that there are stay good.
        min_interval_s: a token with a key that is not known has it fetched at once, but not more often than this.
        timeout_s: of a fetch.
    """

    refresh_s: Seconds = 300.0
    min_interval_s: Seconds = 10.0
    timeout_s: Seconds = 5.0


class Tokens(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """JSON Web Tokens (RFC 7519).

    Attributes:
        algorithms: that are taken; a token that names another is refused.
        keys: that verify.
        jwks: how keys that are published are kept up to date.
        issuer: who has to have made them; none takes any.
        audience: whom they have to be for; none takes any.
        leeway_s: how far clocks may be apart.
        required_claims: that have to be there, besides `exp` and `sub`.
        tier_claim: which claim names the tier of the limits.
        cache_entries: verified tokens that a worker remembers, each until it expires.
    """

    algorithms: Annotated[tuple[Algorithm, ...], Meta(min_length=1)] = ("HS256",)
    keys: Keys = field(default_factory=Keys)
    jwks: Jwks = field(default_factory=Jwks)
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


class RouteLimit(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How often a route may be asked, besides what the caller's tier allows.

    Attributes:
        per_second: over time.
        per_minute: over time.
        burst: how many may come at once.
        by: whose requests are counted together: a caller's (the token's user, else the address), an address's, an API
            key's (else the address), or everybody's.
    """

    per_second: Count
    per_minute: Count
    burst: Count
    by: Literal["caller", "address", "api_key", "route"] = "caller"


TIERS = {
    "anonymous": Limit(per_second=5, per_minute=100, burst=10),
    "free": Limit(per_second=10, per_minute=200, burst=20),
    "pro": Limit(per_second=50, per_minute=1_000, burst=100),
    "enterprise": Limit(per_second=200, per_minute=5_000, burst=400),
}
