"""Requests answered from what is stored, and answers stored on their way back.

A request for which nothing good is stored goes upstream, and others for the same wait for its answer instead of asking
too. What is stored and stale is asked about conditionally; while an answer allows it, the stale one is given at once
and the new one fetched behind it, or given where there is no new one to be had. What is stored for somebody with a
token is theirs alone; what was asked for with a cookie, or a credential that nobody looked at, is not stored at all.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from mgw.core.problems import Problem
from mgw.gateway.cache.conditions import is_not_modified, range_of
from mgw.gateway.cache.directives import parse_directives, seconds_of
from mgw.gateway.cache.freshness import initial_age_s, is_storable, lifetime_of, vary_of
from mgw.gateway.cache.store import Store, Stored, request_value
from mgw.gateway.headers import header, headers_of
from mgw.gateway.transport import UpstreamError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from mgw.gateway.cache.directives import Directives
    from mgw.gateway.cache.store import Key
    from mgw.gateway.headers import Headers
    from mgw.gateway.transport import Answer

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_CONDITIONS = frozenset({"if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range", "range"})
_OF_304 = frozenset({"cache-control", "content-location", "date", "etag", "expires", "last-modified", "vary"})
_NAME = "mgw"
_NOT_KEPT_S, _MOST_NOT_KEPT = 10.0, 10_000


class Asked(NamedTuple):
    """A request, as the cache sees it.

    Attributes:
        method: of it.
        upstream: where it goes.
        target: path and query, as they are sent.
        user: whose it is; empty is anybody's.
        headers: as they are sent.
        ttl_s: for how long the route wants answers kept that do not say so themselves.
    """

    method: str
    upstream: str
    target: str
    user: str
    headers: Headers
    ttl_s: float | None

    @property
    def key(self) -> Key:
        """Under which its answer is kept."""
        return self.place, self.user

    @property
    def place(self) -> str:
        """What is asked for, by whomever."""
        return f"{self.upstream} {self.target}"

    @property
    def has_unknown_credentials(self) -> bool:
        """Whether it says who asks in a way that the gateway does not know."""
        return header(self.headers, "cookie") is not None or (
            not self.user and header(self.headers, "authorization") is not None
        )


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


class Caching:
    """The cache of one process.

    Args:
        store: what is kept.
        object_bytes: the longest body that is kept.
        clock: seconds since 1970.
    """

    def __init__(self, store: Store, object_bytes: int, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self._object_bytes = object_bytes
        self._clock = clock
        self._pending: dict[Key, asyncio.Future[Stored | None]] = {}
        self._behind: set[asyncio.Task[None]] = set()
        self._not_kept: OrderedDict[Key, float] = OrderedDict()

    async def answer(self, asked: Asked, fetch: Callable[[Headers], Awaitable[Answer]]) -> Given:
        """Answer a request.

        Args:
            asked: the request.
            fetch: sends it upstream with other headers.

        Raises:
            Problem: only what is stored was asked for, and nothing is.
            UpstreamError: there is no answer.
        """
        if asked.method not in _SAFE:
            return await self._change(asked, fetch)
        directives = parse_directives(headers_of(asked.headers, "cache-control"))
        if asked.method == "OPTIONS" or "no-store" in directives or asked.has_unknown_credentials:
            return await _through(asked, fetch, "fwd=bypass")
        stored = self.store.get(asked.key, asked.headers)
        if stored is not None:
            return await self._from_stored(asked, stored, directives, fetch)
        if "only-if-cached" in directives:
            raise Problem(HTTPStatus.GATEWAY_TIMEOUT, "NOT_CACHED", "only what is cached was asked for, and nothing is")
        if asked.method == "HEAD" or header(asked.headers, "range") is not None:
            return await _through(asked, fetch, "fwd=uri-miss")
        return await self._miss(asked, fetch)

    async def _from_stored(
        self, asked: Asked, stored: Stored, directives: Directives, fetch: Callable[[Headers], Awaitable[Answer]]
    ) -> Given:
        now = self._clock()
        left = stored.lifetime.fresh_s - stored.age_s(now)
        if _is_good(stored, directives, left, now):
            return _served(asked, stored, now, f"hit; ttl={int(left)}")
        if asked.method == "HEAD":  # its answer would be stored without a body
            return await _through(asked, fetch, "fwd=stale")
        lifetime = stored.lifetime
        may_be_stale = not lifetime.must_revalidate and "no-cache" not in directives
        asks_for_fresh = bool({"max-age", "min-fresh"} & directives.keys())
        if may_be_stale and not asks_for_fresh and _is_within(left, lifetime.stale_while_revalidate_s):
            self._fetch_behind(asked, stored, fetch)
            return _served(asked, stored, now, f"hit; ttl={int(left)}")
        if "only-if-cached" in directives:
            raise Problem(HTTPStatus.GATEWAY_TIMEOUT, "NOT_CACHED", "what is cached is not good enough")
        helps = may_be_stale and _is_within(left, lifetime.stale_if_error_s)
        try:
            answer = await fetch(_conditional(asked, stored))
        except UpstreamError:
            if helps:
                return _served(asked, stored, now, f"hit; ttl={int(left)}; detail=stale-if-error")
            raise
        if helps and answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            await answer.close()
            return _served(asked, stored, now, f"hit; ttl={int(left)}; detail=stale-if-error")
        return await self._renewed(asked, stored, answer, now)

    async def _renewed(self, asked: Asked, stored: Stored, answer: Answer, asked_at: float) -> Given:
        if answer.status == HTTPStatus.NOT_MODIFIED:
            await answer.close()
            renewed = _freshened(stored, answer, asked, asked_at=asked_at, now=self._clock())
            self.store.put(asked.key, renewed)
            return _served(asked, renewed, self._clock(), "fwd=stale; fwd-status=304; stored")
        kept, given = await self._keep(asked, answer, asked_at)
        how = f"fwd=stale; fwd-status={answer.status}" + ("; stored" if kept else "")
        return given(how)

    async def _miss(self, asked: Asked, fetch: Callable[[Headers], Awaitable[Answer]]) -> Given:
        key = asked.key
        if self._not_kept and self._not_kept.get(key, 0.0) > self._clock():
            return await self._ask(asked, fetch, None)
        pending = self._pending.get(key)
        if pending is not None:
            stored = await asyncio.shield(pending)
            if stored is not None and stored.fits(asked.headers):
                return _served(asked, stored, self._clock(), "fwd=uri-miss; collapsed")
            return await self._ask(asked, fetch, None)
        mine: asyncio.Future[Stored | None] = asyncio.get_running_loop().create_future()
        self._pending[key] = mine
        return await self._ask(asked, fetch, mine)

    async def _ask(
        self,
        asked: Asked,
        fetch: Callable[[Headers], Awaitable[Answer]],
        mine: asyncio.Future[Stored | None] | None,
    ) -> Given:
        asked_at, kept = self._clock(), None
        try:
            answer = await fetch([each for each in asked.headers if each[0] not in _CONDITIONS])
            kept, given = await self._keep(asked, answer, asked_at)
        finally:
            if mine is not None:
                self._pending.pop(asked.key, None)
                mine.set_result(kept)
        return given("fwd=uri-miss" + ("; stored" if kept else ""))

    async def _keep(
        self, asked: Asked, answer: Answer, asked_at: float
    ) -> tuple[Stored | None, Callable[[str], Given]]:
        """Store an answer, if it may be and is not too long; return it, and what gives it to the client."""
        if not is_storable(answer.status, answer.headers, authorized=bool(asked.user), ttl_s=asked.ttl_s):
            self._remember_not_kept(asked.key)
            return None, partial(_given, answer)
        pieces, size, rest = [], 0, answer.body()
        try:
            async for piece in rest:
                pieces.append(piece)
                size += len(piece)
                if size > self._object_bytes:
                    return None, partial(_given, LongAnswer(answer, pieces, rest))
        except BaseException:
            await answer.close()
            raise
        await answer.close()
        now = self._clock()
        stored = Stored(
            status=answer.status,
            headers=[each for each in answer.headers if each[0] not in {"age", "cache-status"}],
            body=b"".join(pieces),
            vary=tuple((name, request_value(asked.headers, name)) for name in vary_of(answer.headers)),
            lifetime=lifetime_of(answer.headers, ttl_s=asked.ttl_s, now=now),
            made_at=now - initial_age_s(answer.headers, asked_at=asked_at, came_at=now),
        )
        self.store.put(asked.key, stored)
        return stored, lambda how: _served(asked, stored, now, how)

    def _remember_not_kept(self, key: Key) -> None:
        """Have nobody wait for an answer that will not be kept: for a while each request for it goes its own way."""
        self._not_kept[key] = self._clock() + _NOT_KEPT_S
        self._not_kept.move_to_end(key)
        if len(self._not_kept) > _MOST_NOT_KEPT:
            self._not_kept.popitem(last=False)

    async def _change(self, asked: Asked, fetch: Callable[[Headers], Awaitable[Answer]]) -> Given:
        """Pass on what changes something, and forget what was stored of it (RFC 9111, section 4.4)."""
        given = await _through(asked, fetch, "fwd=method")
        if given.status < HTTPStatus.BAD_REQUEST:
            self.store.forget(asked.place)
            for name in ("location", "content-location"):
                place = header(given.headers, name)
                if place is not None and place.startswith("/"):
                    self.store.forget(f"{asked.upstream} {place}")
        return given

    def _fetch_behind(self, asked: Asked, stored: Stored, fetch: Callable[[Headers], Awaitable[Answer]]) -> None:
        """Fetch a new answer while the stale one is given; once at a time."""
        if asked.key in self._pending:
            return
        mine: asyncio.Future[Stored | None] = asyncio.get_running_loop().create_future()
        self._pending[asked.key] = mine

        async def renew() -> None:
            asked_at, kept = self._clock(), None
            try:
                answer = await fetch(_conditional(asked, stored))
                if answer.status == HTTPStatus.NOT_MODIFIED:
                    await answer.close()
                    kept = _freshened(stored, answer, asked, asked_at=asked_at, now=self._clock())
                    self.store.put(asked.key, kept)
                elif answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                    kept, _ = await self._keep(asked, answer, asked_at)
                    if kept is None:
                        self.store.forget(asked.place)
                        await answer.close()
                else:
                    await answer.close()
            except (UpstreamError, Problem):  # the stale one is given for as long as it may be
                pass
            finally:
                self._pending.pop(asked.key, None)
                mine.set_result(kept)

        task = asyncio.get_running_loop().create_task(renew())
        self._behind.add(task)
        task.add_done_callback(self._behind.discard)


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


def _given(answer: Answer, how: str) -> Given:
    return Given(answer.status, answer.headers, answer, how)


async def _through(asked: Asked, fetch: Callable[[Headers], Awaitable[Answer]], how: str) -> Given:
    return _given(await fetch(asked.headers), how)


def _is_good(stored: Stored, directives: Directives, left: float, now: float) -> bool:
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


def _is_within(left: float, seconds: float) -> bool:
    """Say whether something is stale for no longer than it may be."""
    return seconds > 0 and -left <= seconds


def _served(asked: Asked, stored: Stored, now: float, how: str) -> Given:
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


def _conditional(asked: Asked, stored: Stored) -> Headers:
    """Ask whether what is stored is still what there is."""
    headers = [each for each in asked.headers if each[0] not in _CONDITIONS]
    tag, changed = header(stored.headers, "etag"), header(stored.headers, "last-modified")
    if tag is not None:
        headers.append(("if-none-match", tag))
    if changed is not None:
        headers.append(("if-modified-since", changed))
    return headers


def _freshened(stored: Stored, answer: Answer, asked: Asked, *, asked_at: float, now: float) -> Stored:
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
