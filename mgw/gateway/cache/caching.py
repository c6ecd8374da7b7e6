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
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from mgw.core.problems import Problem
from mgw.gateway.cache.directives import parse_directives
from mgw.gateway.cache.freshness import TAGS, initial_age_s, is_storable, lifetime_of, tags_of, vary_of
from mgw.gateway.cache.serving import (
    CONDITIONS,
    Asked,
    Given,
    LongAnswer,
    conditional,
    freshened,
    is_good,
    is_within,
    served,
    served_whole,
)  # fmt: skip
from mgw.gateway.cache.store import Store, Stored, request_value
from mgw.gateway.headers import header, headers_of
from mgw.gateway.refusals import Unanswered
from mgw.gateway.transport import UpstreamError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from mgw.gateway.cache.directives import Directives
    from mgw.gateway.cache.store import Key
    from mgw.gateway.headers import Headers
    from mgw.gateway.transport import Answer

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_NOT_STORED = TAGS | {"age", "cache-status"}
_NOT_KEPT_S, _MOST_NOT_KEPT = 10.0, 10_000
_MOST_CHANGES = 10_000


class Since(NamedTuple):
    """When an answer was asked for.

    Attributes:
        asked_at: seconds since 1970.
        version: of the place then.
    """

    asked_at: float
    version: tuple[int, int]


class Second(Protocol):
    """A second level, behind what a worker keeps."""

    async def get(self, key: Key) -> tuple[Stored, ...]:
        """Return what is kept under a key; nothing where that cannot be said."""

    async def put(self, key: Key, variants: tuple[Stored, ...], now: float) -> None:
        """Keep answers for as long as they can be of use."""

    async def forget(self, place: str) -> None:
        """Forget what is kept of a place, and have others forget it."""


class Caching:
    """The cache of one process.

    Args:
        store: what is kept.
        object_bytes: the longest body that is kept.
        clock: seconds since 1970.
        second: where answers are kept for others, too; None keeps them here alone.
    """

    def __init__(
        self,
        store: Store,
        object_bytes: int,
        clock: Callable[[], float] = time.time,
        second: Second | None = None,
    ) -> None:
        self.store = store
        self._object_bytes = object_bytes
        self._clock = clock
        self._second = second
        self._pending: dict[Key, asyncio.Future[Stored | None]] = {}
        self._behind: set[asyncio.Task[None]] = set()
        self._not_kept: OrderedDict[Key, float] = OrderedDict()
        self._purges = 0
        self._changes: OrderedDict[str, int] = OrderedDict()

    def at_once(self, asked: Asked) -> Given | None:
        """Answer a plain request with what is fresh here; None where that takes more."""
        if not asked.is_plain:
            return None
        stored, now = self.store.get(asked), self._clock()
        return served_whole(stored, now) if stored is not None and _is_fresh(stored, now) else None

    async def answer(self, asked: Asked, fetch: Callable[[Headers], Awaitable[Answer]]) -> Given:
        """Answer a request.

        Args:
            asked: the request.
            fetch: sends it upstream with other headers.

        Raises:
            Problem: only what is stored was asked for, and nothing is.
            UpstreamError, Unanswered: there is no answer.
        """
        if asked.method not in _SAFE:
            return await self._change(asked, fetch)
        directives = parse_directives(headers_of(asked.given, "cache-control"))
        if asked.method == "OPTIONS" or "no-store" in directives or asked.has_unknown_credentials:
            return await _through(asked, fetch, "fwd=bypass")
        stored = self.store.get(asked)
        if self._second is not None and (stored is None or not _is_fresh(stored, self._clock())):
            stored = await self._newest(asked, stored, self._second)
        if stored is not None:
            return await self._from_stored(asked, stored, directives, fetch)
        if "only-if-cached" in directives:
            raise Problem(HTTPStatus.GATEWAY_TIMEOUT, "NOT_CACHED", "only what is cached was asked for, and nothing is")
        if asked.method == "HEAD" or "range" in asked.named:
            return await _through(asked, fetch, "fwd=uri-miss")
        return await self._miss(asked, fetch)

    def purge(self, forget: Callable[[Store], int]) -> int:
        """Forget answers, those that are on their way among them, and return how many were kept."""
        self._purges += 1
        self._not_kept.clear()
        return forget(self.store)

    def _version(self, place: str) -> tuple[int, int]:
        """Return what changes when something is forgotten: an answer that was asked for before is not kept."""
        return self._purges, self._changes.get(place, 0)

    async def _newest(self, asked: Asked, stored: Stored | None, second: Second) -> Stored | None:
        """Return what is kept at the second level, where that is newer."""
        since = Since(self._clock(), self._version(asked.place))
        for each in await second.get(asked.key):
            if each.fits(asked) and (stored is None or each.made_at > stored.made_at):
                stored = each
                if since.version == self._version(asked.place):
                    self.store.put(asked.key, each)
        return stored

    def change(self, place: str) -> None:
        """Forget what is kept of a place here, because it changed."""
        self.store.forget(place)
        self._changes[place] = self._changes.pop(place, 0) + 1
        if len(self._changes) > _MOST_CHANGES:
            self._changes.popitem(last=False)

    def _forget(self, place: str) -> None:
        """Forget what is kept of a place, at the second level and by others, too."""
        self.change(place)
        if self._second is not None:
            self._do_behind(self._second.forget(place))

    async def _from_stored(
        self, asked: Asked, stored: Stored, directives: Directives, fetch: Callable[[Headers], Awaitable[Answer]]
    ) -> Given:
        now = self._clock()
        left = stored.lifetime.fresh_s - stored.age_s(now)
        if is_good(stored, directives, left, now):
            return served(asked, stored, now, f"hit; ttl={int(left)}")
        if asked.method == "HEAD":  # its answer would be stored without a body
            return await _through(asked, fetch, "fwd=stale")
        lifetime = stored.lifetime
        may_be_stale = not lifetime.must_revalidate and "no-cache" not in directives
        asks_for_fresh = bool({"max-age", "min-fresh"} & directives.keys())
        if may_be_stale and not asks_for_fresh and is_within(left, lifetime.stale_while_revalidate_s):
            self._fetch_behind(asked, stored, fetch)
            return served(asked, stored, now, f"hit; ttl={int(left)}")
        if "only-if-cached" in directives:
            raise Problem(HTTPStatus.GATEWAY_TIMEOUT, "NOT_CACHED", "what is cached is not good enough")
        helps = may_be_stale and is_within(left, lifetime.stale_if_error_s)
        version = self._version(asked.place)
        try:
            answer = await fetch(conditional(asked, stored))
        except (UpstreamError, Unanswered):
            if helps:
                return served(asked, stored, now, f"hit; ttl={int(left)}; detail=stale-if-error")
            raise
        if helps and answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            await answer.close()
            return served(asked, stored, now, f"hit; ttl={int(left)}; detail=stale-if-error")
        return await self._renewed(asked, stored, answer, Since(now, version))

    async def _renewed(self, asked: Asked, stored: Stored, answer: Answer, since: Since) -> Given:
        if answer.status == HTTPStatus.NOT_MODIFIED:
            await answer.close()
            renewed = freshened(stored, answer, asked, asked_at=since.asked_at, now=self._clock())
            self._put(asked, renewed, since)
            return served(asked, renewed, self._clock(), "fwd=stale; fwd-status=304; stored")
        kept, given = await self._keep(asked, answer, since)
        how = f"fwd=stale; fwd-status={answer.status}" + ("; stored" if kept else "")
        return given(how)

    async def _miss(self, asked: Asked, fetch: Callable[[Headers], Awaitable[Answer]]) -> Given:
        key = asked.key
        if self._not_kept and self._not_kept.get(key, 0.0) > self._clock():
            return await self._ask(asked, fetch, None)
        pending = self._pending.get(key)
        if pending is not None:
            stored = await asyncio.shield(pending)
            if stored is not None and stored.fits(asked):
                return served(asked, stored, self._clock(), "fwd=uri-miss; collapsed")
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
        since, kept = Since(self._clock(), self._version(asked.place)), None
        try:
            answer = await fetch([each for each in asked.headers if each[0] not in CONDITIONS])
            kept, given = await self._keep(asked, answer, since)
        finally:
            if mine is not None:
                self._pending.pop(asked.key, None)
                mine.set_result(kept)
        return given("fwd=uri-miss" + ("; stored" if kept else ""))

    async def _keep(self, asked: Asked, answer: Answer, since: Since) -> tuple[Stored | None, Callable[[str], Given]]:
        """Store an answer, if it may be and is not too long; return it, and what gives it to the client."""
        if not is_storable(
            answer.status, answer.headers, authorized=bool(asked.user), ttl_s=asked.ttl_of(answer.status)
        ):
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
            headers=[each for each in answer.headers if each[0] not in _NOT_STORED],
            body=b"".join(pieces),
            vary=tuple((name, request_value(asked.headers, name)) for name in vary_of(answer.headers)),
            lifetime=lifetime_of(answer.headers, ttl_s=asked.ttl_of(answer.status), now=now),
            made_at=now - initial_age_s(answer.headers, asked_at=since.asked_at, came_at=now),
            tags=tags_of(answer.headers),
        )
        self._put(asked, stored, since)
        return stored, lambda how: served(asked, stored, now, how)

    def _put(self, asked: Asked, stored: Stored, since: Since) -> None:
        """Keep an answer, unless what it answers was forgotten while it was on its way."""
        if since.version == self._version(asked.place):
            self.store.put(asked.key, stored)
            if self._second is not None:
                self._do_behind(self._second.put(asked.key, self.store.variants(asked.key), self._clock()))

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
            self._forget(asked.place)
            for name in ("location", "content-location"):
                place = header(given.headers, name)
                if place is not None and place.startswith("/"):
                    self._forget(f"{asked.upstream} {place}")
        return given

    def _fetch_behind(self, asked: Asked, stored: Stored, fetch: Callable[[Headers], Awaitable[Answer]]) -> None:
        """Fetch a new answer while the stale one is given; once at a time."""
        if asked.key in self._pending:
            return
        mine: asyncio.Future[Stored | None] = asyncio.get_running_loop().create_future()
        self._pending[asked.key] = mine

        async def renew() -> None:
            since, kept = Since(self._clock(), self._version(asked.place)), None
            try:
                answer = await fetch(conditional(asked, stored))
                if answer.status == HTTPStatus.NOT_MODIFIED:
                    await answer.close()
                    kept = freshened(stored, answer, asked, asked_at=since.asked_at, now=self._clock())
                    self._put(asked, kept, since)
                elif answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                    kept, _ = await self._keep(asked, answer, since)
                    if kept is None:
                        self._forget(asked.place)
                        await answer.close()
                else:
                    await answer.close()
            except (UpstreamError, Problem):  # the stale one is given for as long as it may be
                pass
            finally:
                self._pending.pop(asked.key, None)
                mine.set_result(kept)

        self._do_behind(renew())

    def _do_behind(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what nobody waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._behind.add(task)
        task.add_done_callback(self._behind.discard)


def _given(answer: Answer, how: str) -> Given:
    return Given(answer.status, answer.headers, answer, how)


def _is_fresh(stored: Stored, now: float) -> bool:
    return stored.lifetime.fresh_s > stored.age_s(now)


async def _through(asked: Asked, fetch: Callable[[Headers], Awaitable[Answer]], how: str) -> Given:
    return _given(await fetch(asked.headers), how)
