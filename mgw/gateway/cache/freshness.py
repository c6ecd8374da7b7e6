"""What may be stored, for how long it is good, and how old it is (RFC 9111, sections 3 and 4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from mgw.gateway.cache.directives import parse_directives, seconds_of
from mgw.gateway.headers import header, headers_of

if TYPE_CHECKING:
    from mgw.gateway.cache.directives import Directives
    from mgw.gateway.headers import Headers

UNDERSTOOD = frozenset({200, 203, 204, 206, 300, 301, 302, 303, 307, 308, 404, 405, 410, 414, 501})
"""Statuses that a cache knows what to do with; 206 is never stored whole."""

NEGATIVE = frozenset({404, 405, 410, 414, 501})
BY_DEFAULT = frozenset({200, 203, 204, 300, 301, 308}) | NEGATIVE
"""Those that may be stored though nothing says for how long (RFC 9110, section 15.1)."""

TAGS = frozenset({"cache-tag", "surrogate-key"})
"""What upstreams say to caches alone; clients are not told."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """For how long an answer is good.

    Attributes:
        fresh_s: from when it was made.
        stale_while_revalidate_s: after that, while a new one is fetched (RFC 5861).
        stale_if_error_s: after that, where there is no new one (RFC 5861).
        must_revalidate: whether it may never be used stale.
    """

    fresh_s: float
    stale_while_revalidate_s: float = 0.0
    stale_if_error_s: float = 0.0
    must_revalidate: bool = False


def is_storable(status: int, headers: Headers, *, authorized: bool, ttl_s: float | None) -> bool:
    """Say whether an answer to a GET may be stored.

    Args:
        status: of it.
        headers: of it.
        authorized: whether the request had a token.
        ttl_s: for how long the route wants answers kept that do not say so themselves.
    """
    directives = parse_directives(headers_of(headers, "cache-control"))
    if status not in UNDERSTOOD or status == 206 or "no-store" in directives or "private" in directives:
        return False
    if "*" in vary_of(headers) or header(headers, "set-cookie") is not None:
        return False
    explicit = bool({"s-maxage", "max-age", "public"} & directives.keys()) or header(headers, "expires") is not None
    if authorized and not {"public", "s-maxage", "must-revalidate"} & directives.keys():
        return False
    return explicit or (ttl_s is not None and status in BY_DEFAULT)


def lifetime_of(headers: Headers, *, ttl_s: float | None, now: float) -> Lifetime:
    """Return for how long an answer is good.

    Args:
        headers: of it.
        ttl_s: where it does not say so itself.
        now: seconds since 1970, when it came.
    """
    directives = parse_directives(headers_of(headers, "cache-control"))
    fresh = _fresh_s(headers, directives, now)
    if fresh is None:
        fresh = ttl_s or 0.0
    if "no-cache" in directives:
        fresh = 0.0
    return Lifetime(
        fresh_s=fresh,
        stale_while_revalidate_s=seconds_of(directives, "stale-while-revalidate") or 0.0,
        stale_if_error_s=seconds_of(directives, "stale-if-error") or 0.0,
        must_revalidate=_must_revalidate(directives),
    )


def initial_age_s(headers: Headers, *, asked_at: float, came_at: float) -> float:
    """Return how old an answer was when it came (RFC 9111, section 4.2.3).

    Args:
        headers: of it.
        asked_at: seconds since 1970, when it was asked for.
        came_at: when it came.
    """
    date = date_of(header(headers, "date"))
    apparent = max(0.0, came_at - date) if date is not None else 0.0
    given = header(headers, "age") or ""
    age = float(given) if given.isascii() and given.isdecimal() else 0.0
    return max(apparent, age + (came_at - asked_at))


def vary_of(headers: Headers) -> tuple[str, ...]:
    """Return the headers of a request that an answer depends on, lower, in order."""
    names = {name.strip().lower() for value in headers_of(headers, "vary") for name in value.split(",")}
    if header(headers, "content-encoding") is not None:  # encoded for this client, even if that is not said
        names.add("accept-encoding")
    return tuple(sorted(names - {""}))


def tags_of(headers: Headers) -> frozenset[str]:
    """Return by what an answer can be purged: the words of `Cache-Tag` and `Surrogate-Key`."""
    values = [value for key, value in headers if key in TAGS]
    return frozenset(tag for value in values for tag in value.replace(",", " ").split()) if values else frozenset()


def date_of(text: str | None) -> float | None:
    """Read an HTTP date as seconds since 1970; None where it is none."""
    try:
        return None if text is None else parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _must_revalidate(directives: Directives) -> bool:
    """Say whether an answer may never be used stale; `s-maxage` says so, unless for how long it may be is said too."""
    if {"must-revalidate", "proxy-revalidate", "no-cache"} & directives.keys():
        return True
    return "s-maxage" in directives and not {"stale-while-revalidate", "stale-if-error"} & directives.keys()


def _fresh_s(headers: Headers, directives: Directives, now: float) -> float | None:
    for name in ("s-maxage", "max-age"):
        found = seconds_of(directives, name)
        if found is not None:
            return found
    expires = header(headers, "expires")
    if expires is None:
        return None
    until = date_of(expires)  # one that cannot be read, such as 0, is in the past
    made = date_of(header(headers, "date"))
    return 0.0 if until is None else max(until - (made if made is not None else now), 0.0)
