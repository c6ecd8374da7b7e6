"""What the gateway refuses requests for, besides what is wrong with the requests themselves."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import TYPE_CHECKING

from mgw.core.problems import Problem
from mgw.gateway.replies import limit_headers
from mgw.gateway.transport import UpstreamSlow, UpstreamUnreachable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mgw.gateway.limits import Decision
    from mgw.gateway.transport import UpstreamError


def no_such_path() -> Problem:
    """There is no route."""
    return Problem(HTTPStatus.NOT_FOUND, "NOT_FOUND", "there is no such path")


def not_allowed(methods: Sequence[str]) -> Problem:
    """There is a route, for other methods."""
    allow = ", ".join(methods)
    return Problem(
        HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", f"this takes {allow}", headers=(("allow", allow),)
    )


def unauthorized(code: str, message: str) -> Problem:
    """Nobody knows who asks."""
    kind = "" if code == "TOKEN_MISSING" else ' error="invalid_token"'
    return Problem(HTTPStatus.UNAUTHORIZED, code, message, headers=(("www-authenticate", f"Bearer{kind}"),))


def scope_missing(scopes: Sequence[str]) -> Problem:
    """The token is good, but not for this."""
    return Problem(
        HTTPStatus.FORBIDDEN, "SCOPE_MISSING", f"the token is not good for {', '.join(scopes)}",
        headers=(("www-authenticate", f'Bearer error="insufficient_scope", scope="{" ".join(scopes)}"'),),
    )  # fmt: skip


def too_many(decision: Decision) -> Problem:
    """The caller asks more often than it may."""
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS, "RATE_LIMITED", "too many requests",
        retry_after=max(math.ceil(decision.retry_after_s), 1), headers=tuple(limit_headers(decision)),
    )  # fmt: skip


def not_configured(upstream: str) -> Problem:
    """The route leads to what the file does not have."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "UPSTREAM_NOT_CONFIGURED", f"{upstream} is not configured")


def upstream_failed(error: UpstreamError, upstream: str) -> Problem:
    """The upstream did not answer as it should; what it said is for the log alone."""
    if isinstance(error, UpstreamSlow):
        return Problem(
            HTTPStatus.GATEWAY_TIMEOUT, "UPSTREAM_TIMEOUT", f"{upstream} did not answer in time", retry_after=1
        )
    if isinstance(error, UpstreamUnreachable):
        return Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "UPSTREAM_UNREACHABLE", f"{upstream} cannot be reached", retry_after=1
        )
    return Problem(HTTPStatus.BAD_GATEWAY, "UPSTREAM_BROKEN", f"{upstream} did not answer as it should", retry_after=1)
