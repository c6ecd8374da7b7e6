"""Who may ask, and how often, as filters of Envoy: tokens, scopes, and token buckets for each caller."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from joserfc.jwk import KeySet, OctKey

from mgw.gateway.envoy.names import JWKS_CLUSTER, JWT, seconds, typed

if TYPE_CHECKING:
    from mgw.gateway.definition import Gateway, Limit, Route

_PROVIDER = "tokens"
_MOST_CALLERS = 100_000
_NO_LIMIT = 1_000_000_000
_PERIODS = ("second", "minute")
_CLAIMS = {"x-auth-user": "sub", "x-auth-scopes": "scope"}
OURS = ("x-auth-user", "x-auth-tier", "x-auth-scopes")
"""Headers that tell upstreams who asks; a client's own are taken away before anybody looks."""


def jwt_filter(gateway: Gateway, keys_file: str) -> dict[str, Any]:
    """Return the filter that verifies tokens.

    Args:
        gateway: what its file says.
        keys_file: where the keys are, unless an issuer publishes them; see `key_set`.
    """
    tokens = gateway.tokens
    provider: dict[str, Any] = {
        "forward": True,
        "payload_in_metadata": "payload",
        "clock_skew_seconds": int(tokens.leeway_s),
        "require_expiration": True,
        "claim_to_headers": [
            {"header_name": name, "claim_name": claim}
            for name, claim in {**_CLAIMS, "x-auth-tier": tokens.tier_claim}.items()
        ],
    }
    if tokens.issuer is not None:
        provider["issuer"] = tokens.issuer
    if tokens.audience is not None:
        provider["audiences"] = [tokens.audience]
    if tokens.keys.jwks_url is not None:
        provider["remote_jwks"] = {
            "http_uri": {
                "uri": tokens.keys.jwks_url, "cluster": JWKS_CLUSTER, "timeout": seconds(tokens.jwks.timeout_s),
            },
            "cache_duration": seconds(tokens.jwks.refresh_s),
        }  # fmt: skip
    else:
        provider["local_jwks"] = {"filename": keys_file}
    return typed(
        "filters.http.jwt_authn.v3.JwtAuthentication",
        providers={_PROVIDER: provider},
        requirement_map={
            "required": {"provider_name": _PROVIDER},
            "optional": {"requires_any": {"requirements": [{"provider_name": _PROVIDER}, {"allow_missing": {}}]}},
        },
    )


def jwt_of_route(route: Route) -> dict[str, Any]:
    """Return what a route asks of tokens."""
    kind = "filters.http.jwt_authn.v3.PerRouteConfig"
    return typed(kind, disabled=True) if route.auth == "none" else typed(kind, requirement_name=route.auth)


def rbac_of_route(route: Route) -> dict[str, Any]:
    """Return that a token has to have all scopes of a route, in `scope` or in `scopes`."""
    principals = [{"or_ids": {"ids": [_in_text(name), _in_list(name)]}} for name in route.scopes]
    policy = {"permissions": [{"any": True}], "principals": [{"and_ids": {"ids": principals}}]}
    rules = {"action": "ALLOW", "policies": {"scopes": policy}}
    return typed("filters.http.rbac.v3.RBACPerRoute", rbac={"rules": rules})


def limit_filter(gateway: Gateway) -> dict[str, Any]:
    """Return the filter that counts requests: a bucket for the burst and one for the minute, for each caller."""
    descriptors = [
        {"entries": [_entry("per", per), *_callers_of(tier)], "token_bucket": bucket}
        for tier, limit in gateway.limits.items()
        for per, bucket in _buckets(limit).items()
    ]
    return typed(
        "filters.http.local_ratelimit.v3.LocalRateLimit",
        stat_prefix="limits",
        filter_enabled=_always("enabled"),
        filter_enforced=_always("enforced"),
        max_dynamic_descriptors=_MOST_CALLERS,
        enable_x_ratelimit_headers="DRAFT_VERSION_03",
        token_bucket={"max_tokens": _NO_LIMIT, "tokens_per_fill": _NO_LIMIT, "fill_interval": "1s"},
        descriptors=descriptors,
        rate_limits=[action for per in _PERIODS for action in _actions(per, list(gateway.limits))],
    )


def _callers_of(tier: str) -> list[dict[str, str]]:
    """Return what is counted apart: of tokens each user, without a token each address."""
    if tier == "anonymous":
        return [_entry("token", "none"), {"key": "remote_address"}]
    return [_entry("tier", tier), {"key": "user"}]


def _buckets(limit: Limit) -> dict[str, dict[str, Any]]:
    return {
        "second": {"max_tokens": limit.burst, "tokens_per_fill": limit.per_second, "fill_interval": "1s"},
        "minute": {"max_tokens": limit.per_minute, "tokens_per_fill": limit.per_minute, "fill_interval": "60s"},
    }


def _actions(per: str, tiers: list[str]) -> list[dict[str, Any]]:
    """Describe a request to the buckets: one of these fits, by whether there is a token and what tier it names."""
    period = {"generic_key": {"descriptor_key": "per", "descriptor_value": per}}
    user = {"request_headers": {"header_name": "x-auth-user", "descriptor_key": "user"}}
    tier = {"request_headers": {"header_name": "x-auth-tier", "descriptor_key": "tier"}}
    known = {"safe_regex": {"regex": "|".join(map(re.escape, tiers))}}
    no_tier = _unless("tier", "free", {"name": "x-auth-tier", "string_match": known})
    no_token = _unless("token", "none", {"name": "x-auth-user", "present_match": True})
    return [
        {"actions": [period, tier, user]},
        {"actions": [period, no_tier, user]},
        {"actions": [period, no_token, {"remote_address": {}}]},
    ]


def _unless(key: str, value: str, header: dict[str, Any]) -> dict[str, Any]:
    matched = {"descriptor_key": key, "descriptor_value": value, "expect_match": False, "headers": [header]}
    return {"header_value_match": matched}


def _entry(key: str, value: str) -> dict[str, str]:
    return {"key": key, "value": value}


def _always(key: str) -> dict[str, Any]:
    return {"runtime_key": f"mgw_{key}", "default_value": {"numerator": 100, "denominator": "HUNDRED"}}


def _in_text(scope: str) -> dict[str, Any]:
    pattern = rf"(.* )?{re.escape(scope)}( .*)?"
    return _claim("scope", {"string_match": {"safe_regex": {"regex": pattern}}})


def _in_list(scope: str) -> dict[str, Any]:
    return _claim("scopes", {"list_match": {"one_of": {"string_match": {"exact": scope}}}})


def _claim(name: str, value: dict[str, Any]) -> dict[str, Any]:
    path = [{"key": "payload"}, {"key": name}]
    matcher = {"filter": JWT, "path": path, "value": value}
    return {"sourced_metadata": {"metadata_matcher": matcher}}


def key_set(key: Any, algorithm: str) -> bytes:  # noqa: ANN401 - of the library of tokens
    """Write a key as a set (RFC 7517), which is what Envoy takes; with HS256 it is a secret."""
    if isinstance(key, KeySet):
        return msgspec.json.encode(key.as_dict(private=False))
    plain = key.as_dict(private=isinstance(key, OctKey))
    return msgspec.json.encode({"keys": [{**plain, "alg": algorithm}]})
