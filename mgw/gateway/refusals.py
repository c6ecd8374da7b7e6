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


class Unanswered(Problem):
    """An upstream was not asked, because it is left alone or has enough to do."""


def no_such_path() -> Problem:
    """There is no route."""
    return Problem(HTTPStatus.NOT_FOUND, "NOT_FOUND", "there is no such path")


def not_allowed(methods: Sequence[str]) -> Problem:
    """There is a route, for other methods."""
    allow = ", ".join(methods)
    return Problem(
        HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", f"this takes {allow}", headers=(("allow", allow),)
    )


def no_keys() -> Problem:
    """The keys that verify tokens could not be fetched yet."""
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE, "KEYS_UNAVAILABLE", "tokens cannot be verified at the moment", retry_after=1
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


def of_another_user() -> Problem:
    """The request is about another user than the token's."""
    return Problem(HTTPStatus.FORBIDDEN, "OTHER_USER", "the token is of another user than the request is about")


def too_many(decision: Decision) -> Problem:
    """The caller asks more often than it may."""
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS, "RATE_LIMITED", "too many requests",
        retry_after=max(math.ceil(decision.retry_after_s), 1), headers=tuple(limit_headers(decision)),
    )  # fmt: skip


def not_configured(upstream: str) -> Unanswered:
    """The route leads to what the file does not have."""
    return Unanswered(HTTPStatus.SERVICE_UNAVAILABLE, "UPSTREAM_NOT_CONFIGURED", f"{upstream} is not configured")


def overloaded() -> Problem:
    """This worker has as much to do as it may."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "OVERLOADED", "the gateway has enough to do", retry_after=1)


def no_websocket() -> Problem:
    """The path is for WebSockets, and the request is none, or the other way round."""
    return Problem(
        HTTPStatus.UPGRADE_REQUIRED, "UPGRADE_REQUIRED", "this path is for WebSockets",
        headers=(("upgrade", "websocket"), ("connection", "upgrade")),
    )  # fmt: skip


def busy(upstream: str) -> Unanswered:
    """It has as much to do as it may."""
    return Unanswered(HTTPStatus.SERVICE_UNAVAILABLE, "UPSTREAM_BUSY", f"{upstream} has enough to do", retry_after=1)


def failing(upstream: str, retry_after_s: float) -> Unanswered:
    """Its breaker is open."""
    return Unanswered(
        HTTPStatus.SERVICE_UNAVAILABLE, "UPSTREAM_FAILING", f"{upstream} fails and is left alone for now",
        retry_after=max(math.ceil(retry_after_s), 1),
    )  # fmt: skip


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
