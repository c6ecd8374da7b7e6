"""What is kept of answers in Redis, for all workers and machines: asked where a worker's own store has nothing.

It is behind the worker's store and never in the way of an answer: what Redis does not answer in time is not kept there.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import msgspec

from mgw.gateway.cache.freshness import Lifetime
from mgw.gateway.cache.store import Stored
from mgw.gateway.shared import Changed, worker_name

if TYPE_CHECKING:
    from mgw.gateway.cache.store import Key
    from mgw.gateway.shared import Shared

_FORMAT = 1
_LONGEST_S = 86_400
_SCAN = 1_000


class SecondLevel:
    """Answers in Redis.

    Args:
        shared: the way there.
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    async def get(self, key: Key) -> tuple[Stored, ...]:
        """Return what is kept under a key; nothing where Redis does not answer, or has what nobody can read."""
        if self._shared.is_away:
            return ()
        try:
            found: Any = await self._shared.client.get(self._name(key))
        except self._shared.failed as error:
            self._shared.note_failure(error)
            return ()
        try:
            return () if found is None else tuple(map(_restored, msgspec.msgpack.decode(found)))
        except (msgspec.DecodeError, TypeError, ValueError, KeyError):
            return ()

    async def put(self, key: Key, variants: tuple[Stored, ...], now: float) -> None:
        """Keep answers for as long as they can be of use."""
        if self._shared.is_away or not variants:
            return
        left_s = min(max(map(_useful_s, variants)), _LONGEST_S) - max(each.age_s(now) for each in variants)
        if left_s <= 0:
            return
        content = msgspec.msgpack.encode([_plain(each) for each in variants])
        try:
            async with self._shared.client.pipeline(transaction=False) as pipe:
                pipe.set(self._name(key), content, px=max(int(1000 * left_s), 1))
                for index in (self._place(key[0]), *{self._tag(tag) for each in variants for tag in each.tags}):
                    pipe.sadd(index, self._name(key))
                    pipe.expire(index, _LONGEST_S)
                await pipe.execute()
        except self._shared.failed as error:
            self._shared.note_failure(error)

    async def forget(self, place: str) -> None:
        """Forget what is kept of a place, for whomever, and have other workers forget it."""
        await self._forget_all_of(self._place(place))
        await self._shared.publish(Changed(place, worker_name()))

    async def forget_tag(self, tag: str) -> None:
        """Forget all answers with a tag."""
        await self._forget_all_of(self._tag(tag))

    async def forget_prefix(self, prefix: str) -> None:
        """Forget all places that begin so: a look at every key, for whoever purges, and not for requests."""
        pattern = f"{_literal(self._shared.prefix)}:answer:{_literal(prefix)}*"
        try:
            found = [name async for name in self._shared.client.scan_iter(match=pattern, count=_SCAN)]
            for start in range(0, len(found), _SCAN):
                await self._shared.client.unlink(*found[start : start + _SCAN])
        except self._shared.failed as error:
            self._shared.note_failure(error)

    async def _forget_all_of(self, index: str) -> None:
        try:
            names = await self._shared.client.smembers(index)
            if names:
                await self._shared.client.unlink(*names, index)
        except self._shared.failed as error:
            self._shared.note_failure(error)

    def _name(self, key: Key) -> str:
        return f"{self._shared.prefix}:answer:{key[0]}\n{key[1]}"

    def _place(self, place: str) -> str:
        return f"{self._shared.prefix}:place:{place}"

    def _tag(self, tag: str) -> str:
        return f"{self._shared.prefix}:tag:{tag}"


def _plain(stored: Stored) -> dict[str, Any]:
    return {**asdict(stored), "tags": sorted(stored.tags), "format": _FORMAT}


def _restored(found: dict[str, Any]) -> Stored:
    if found.pop("format") != _FORMAT:
        raise ValueError("of another version")
    return Stored(
        **{
            **found,
            "headers": [(name, value) for name, value in found["headers"]],
            "vary": tuple((name, value) for name, value in found["vary"]),
            "lifetime": Lifetime(**found["lifetime"]),
            "tags": frozenset(found["tags"]),
        }
    )


def _useful_s(stored: Stored) -> float:
    lifetime = stored.lifetime
    return lifetime.fresh_s + max(lifetime.stale_while_revalidate_s, lifetime.stale_if_error_s)


def _literal(text: str) -> str:
    """Write a text so that it stands for itself in a pattern of Redis."""
    return "".join(f"\\{letter}" if letter in "*?[]^\\" else letter for letter in text)
