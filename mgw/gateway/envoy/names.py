"""Names that Envoy's configuration has in many places."""

from __future__ import annotations

from typing import Any

_TYPES = "type.googleapis.com/envoy."
_EXTENSIONS = f"{_TYPES}extensions."

JWT = "envoy.filters.http.jwt_authn"
RBAC = "envoy.filters.http.rbac"
CORS = "envoy.filters.http.cors"
LOCAL_LIMIT = "envoy.filters.http.local_ratelimit"
JWKS_CLUSTER = "mgw_jwks"


def typed(kind: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any of Envoy's messages
    """Return a message with its type, which stands below `extensions` unless it begins with `config.`."""
    return {"@type": f"{_TYPES if kind.startswith('config.') else _EXTENSIONS}{kind}", **fields}


def seconds(value: float) -> str:
    """Write a duration as Envoy reads it."""
    return f"{value:.3f}".rstrip("0").rstrip(".") + "s"
