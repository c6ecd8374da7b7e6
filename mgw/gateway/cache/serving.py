"""What the cache is asked and what it gives: whole, in part, or that the client has it already."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from mgw.gateway.cache.conditions import is_not_modified, range_of
from mgw.gateway.cache.directives import seconds_of
from mgw.gateway.cache.freshness import NEGATIVE, initial_age_s, lifetime_of
from mgw.gateway.headers import header

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from mgw.gateway.cache.directives import Directives
    from mgw.gateway.cache.store import Key, Stored
    from mgw.gateway.headers import Headers
    from mgw.gateway.transport import Answer

CONDITIONS = frozenset({"if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range", "range"})
_SPECIAL = CONDITIONS | {"cache-control", "pragma"}
_OF_304 = frozenset({"cache-control", "content-location", "date", "etag", "expires", "last-modified", "vary"})
_NAME = "mgw"


class Asked:
    """A request, as the cache sees it.

    Attributes:
        method: of it.
        upstream: where it goes.
        target: path and query, as they are sent.
        user: whose it is; empty is anybody's.
        given: its headers, as the client sent them.
        named: these by name.
        ttl_s: for how long the route wants answers kept that do not say so themselves.
        negative_ttl_s: the same for answers that there is nothing; None is `ttl_s`.
        place: what is asked for, by whomever.
        key: under which its answer is kept.
    """

    __slots__ = (
        "_make", "_sent", "given", "key", "method", "named", "negative_ttl_s", "place", "target", "ttl_s", "upstream",
        "user",
    )  # fmt: skip

    def __init__(
        self,
        method: str,
        upstream: str,
        target: str,
        user: str,
        given: Headers,
        *,
        named: Mapping[str, str] | None = None,
        make: Callable[[], Headers] | None = None,
        ttl_s: float | None = None,
        negative_ttl_s: float | None = None,
    ) -> None:
        self.method = method
        self.upstream = upstream
        self.target = target
        self.user = user
        self.given = given
        self.named = dict(given) if named is None else named
        self.ttl_s = ttl_s
        self.negative_ttl_s = negative_ttl_s
        self.place = place = f"{upstream} {target}"
        self.key: Key = (place, user)
        self._make = make
        self._sent = given if make is None else None

    @property
    def headers(self) -> Headers:
        """What is sent upstream, made when it is first needed: an answer that is kept seldom does."""
        if self._sent is None:
            self._sent = self._make() if self._make is not None else self.given
        return self._sent

    def ttl_of(self, status: int) -> float | None:
        """Return for how long an answer is kept that does not say so itself."""
        return self.negative_ttl_s if status in NEGATIVE and self.negative_ttl_s is not None else self.ttl_s

    @property
    def is_plain(self) -> bool:
        """Whether nothing but the path says what is wanted."""
        return self.method == "GET" and _SPECIAL.isdisjoint(self.named) and not self.has_unknown_credentials

    @property
    def has_unknown_credentials(self) -> bool:
        """Whether it says who asks in a way that the gateway does not know."""
        return "cookie" in self.named or (not self.user and "authorization" in self.named)


class Given(NamedTuple):
    """What is answered.

    Attributes:
        status: of it.
        headers: of it.
        body: whole, or an answer that is read to the client.
        how: for the header `Cache-Status` (RFC 9211).
    """

    status: int
    headers: Headers
    body: bytes | Answer
    how: str

    @property
    def outcome(self) -> str:
        """What the cache did, in a word, for counting: the first part of `how`, or what became of it."""
        if self.how.startswith("hit"):
            return "stale" if "stale-if-error" in self.how or "ttl=-" in self.how else "hit"
        if "collapsed" in self.how:
            return "collapsed"
        if "fwd=uri-miss" in self.how:
            return "miss"
        return "bypass" if "fwd=stale" not in self.how else "revalidated"


class LongAnswer:
    """An answer that turned out too long to be stored: what was read of it, and then the rest."""

    def __init__(self, answer: Answer, pieces: list[bytes], rest: AsyncIterator[bytes]) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self._answer = answer
        self._pieces = pieces
        self._rest = rest

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the body, piece by piece."""
        for piece in self._pieces:
            yield piece
        async for piece in self._rest:
            yield piece

    async def whole(self) -> bytes:
        """Return the body in one piece."""
        return b"".join([piece async for piece in self.body()])

    async def close(self) -> None:
        """Let the connection go."""
        await self._answer.close()


def is_good(stored: Stored, directives: Directives, left: float, now: float) -> bool:
    """Say whether what is stored is good enough for a request (RFC 9111, sections 4.2 and 5.2.1)."""
    if "no-cache" in directives:
        return False
    most = seconds_of(directives, "max-age")
    if most is not None and stored.age_s(now) > most:
        return False
    left -= seconds_of(directives, "min-fresh") or 0.0
    if left > 0:
        return True
    if "max-stale" not in directives or stored.lifetime.must_revalidate:
        return False
    return directives["max-stale"] is None or -left <= (seconds_of(directives, "max-stale") or 0.0)


def is_within(left: float, seconds: float) -> bool:
    """Say whether something is stale for no longer than it may be."""
    return seconds > 0 and -left <= seconds


def served_whole(stored: Stored, now: float) -> Given:
    """Answer a plain request with what is stored and fresh."""
    age_s = stored.age_s(now)
    headers = [*stored.headers, ("age", str(int(age_s)))]
    return Given(stored.status, headers, stored.body, f"hit; ttl={int(stored.lifetime.fresh_s - age_s)}")


def served(asked: Asked, stored: Stored, now: float, how: str) -> Given:
    """Answer with what is stored: as a whole, in part, or by saying that the client has it."""
    headers = [*stored.headers, ("age", str(int(stored.age_s(now))))]
    if stored.status == HTTPStatus.OK:
        if is_not_modified(asked.headers, stored.headers):
            kept = [each for each in headers if each[0] in _OF_304 or each[0] == "age"]
            return Given(HTTPStatus.NOT_MODIFIED, kept, b"", how)
        length = len(stored.body)
        without = [each for each in headers if each[0] != "content-length"]
        try:
            part = range_of(asked.headers, stored.headers, length) if asked.method == "GET" else None
        except ValueError:
            unmet = [("content-range", f"bytes */{length}"), ("age", str(int(stored.age_s(now))))]
            return Given(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, unmet, b"", how)
        if part is not None:
            first, last = part
            ranged = [*without, ("content-range", f"bytes {first}-{last}/{length}")]
            return Given(HTTPStatus.PARTIAL_CONTENT, ranged, stored.body[first : last + 1], how)
    return Given(stored.status, headers, stored.body, how)


def conditional(asked: Asked, stored: Stored) -> Headers:
    """Ask whether what is stored is still what there is."""
    headers = [each for each in asked.headers if each[0] not in CONDITIONS]
    tag, changed = header(stored.headers, "etag"), header(stored.headers, "last-modified")
    if tag is not None:
        headers.append(("if-none-match", tag))
    if changed is not None:
        headers.append(("if-modified-since", changed))
    return headers


def freshened(stored: Stored, answer: Answer, asked: Asked, *, asked_at: float, now: float) -> Stored:
    """Take over what a 304 says of what is stored (RFC 9111, section 3.2)."""
    new = {name for name, _ in answer.headers} - {"content-length", "content-encoding", "content-type", "age"}
    headers = [each for each in stored.headers if each[0] not in new]
    headers += [each for each in answer.headers if each[0] in new]
    return replace(
        stored,
        headers=headers,
        lifetime=lifetime_of(headers, ttl_s=asked.ttl_s, now=now),
        made_at=now - initial_age_s(answer.headers, asked_at=asked_at, came_at=now),
    )


def cache_status(how: str) -> tuple[str, str]:
    """Return the header that says what the cache did (RFC 9211)."""
    return "cache-status", f"{_NAME}; {how}"
