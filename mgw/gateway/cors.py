"""Requests from pages of other origins, as the Fetch standard has it: who may ask, and what the browser is told."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from mgw.core.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mgw.gateway.definition import Cors
    from mgw.gateway.exchange import Exchange
    from mgw.gateway.headers import Headers

PREFIX = "access-control-"
"""Headers of the protocol; an upstream's own are dropped where the gateway speaks it."""


class CorsPolicy:
    """What a route lets other origins do.

    Args:
        cors: as the file has it.
        methods: that the path takes.
    """

    def __init__(self, cors: Cors, methods: Sequence[str]) -> None:
        self._origins = frozenset(cors.origins)
        self._any = "*" in self._origins
        credentials = [("access-control-allow-credentials", "true")] if cors.credentials else []
        vary = [] if self._any else [("vary", "Origin")]
        expose = [("access-control-expose-headers", ", ".join(cors.expose))] if cors.expose else []
        self._always: Headers = [*credentials, *vary, *expose]
        self._methods = ", ".join(sorted(methods))
        self._allowed_headers = ", ".join(cors.headers)
        self._max_age_s = str(cors.max_age_s)

    def require_allowed(self, origin: str | None) -> None:
        """Refuse a WebSocket that a page of another origin opens: browsers ask nobody before they do.

        Raises:
            Problem: it may not.
        """
        if origin is not None and not (self._any or origin in self._origins):
            raise _refused()

    def headers(self, origin: str | None) -> Headers:
        """Return what an answer says of who may read it."""
        if origin is None or not (self._any or origin in self._origins):
            return [] if self._any else [("vary", "Origin")]
        return [("access-control-allow-origin", "*" if self._any else origin), *self._always]

    def preflight(self, exchange: Exchange) -> Headers:
        """Answer the question of a browser whether a page may ask.

        Raises:
            Problem: it may not.
        """
        origin = exchange.named.get("origin")
        if origin is None or not (self._any or origin in self._origins):
            raise _refused()
        return [
            *self.headers(origin),
            ("access-control-allow-methods", self._methods),
            ("access-control-allow-headers", self._allowed_headers),
            ("access-control-max-age", self._max_age_s),
        ]


def _refused() -> Problem:
    return Problem(HTTPStatus.FORBIDDEN, "ORIGIN_REFUSED", "pages of this origin may not ask")
