"""The gateway's file as types: what it may say, with defaults."""

from mgw.gateway.definition.callers import TIERS, Jwks, Keys, Limit, RouteLimit, Tokens
from mgw.gateway.definition.gateway import Admin, Gateway, Redis, Telemetry, Tls
from mgw.gateway.definition.routes import Auth, Cache, Canary, Cors, Fallback, Route, RouteCache, Subject
from mgw.gateway.definition.upstreams import BreakerSettings, HealthCheck, Retries, Timeouts, Upstream

__all__ = [
    "TIERS",
    "Admin",
    "Auth",
    "BreakerSettings",
    "Cache",
    "Canary",
    "Cors",
    "Fallback",
    "Gateway",
    "HealthCheck",
    "Jwks",
    "Keys",
    "Limit",
    "Redis",
    "Retries",
    "Route",
    "RouteCache",
    "RouteLimit",
    "Subject",
    "Telemetry",
    "Timeouts",
    "Tls",
    "Tokens",
    "Upstream",
]
