"""Lists that were answered, to be answered again: good until something is new, of the user or of the model."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mgw.service.clock import Clock
    from mgw.service.messages import RecommendationsRequest


@dataclass(frozen=True, slots=True)
class Entry:
    """One list.

    Attributes:
        body: as it was answered.
        model: name of the snapshot that made it.
        seen: the user's number on the clock when the making began.
        until: when it gets stale, on the monotonic clock, in seconds.
    """

    body: bytes
    model: str
    seen: int
    until: float


class ResultCache:
    """The lists of a worker, at most `entries`; the one that was longest not asked for goes first.

    Only the event loop touches it.
    """

    def __init__(self, clock: Clock, entries: int, ttl_s: float) -> None:
        self._clock = clock
        self._entries = entries
        self._ttl_s = ttl_s
        self._kept: OrderedDict[RecommendationsRequest, Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, request: RecommendationsRequest, model: str | None) -> bytes | None:
        """Return the answer to a request, if one is kept that is still good."""
        entry = self._kept.get(request)
        if entry is None:
            return None
        if entry.model != model or entry.seen != self._clock.read(request.user_id) or entry.until < time.monotonic():
            del self._kept[request]
            return None
        self._kept.move_to_end(request)
        return entry.body

    def seen(self, user_id: str) -> int:
        """Return the user's number on the clock; to be asked before an answer is made."""
        return self._clock.read(user_id)

    def put(self, request: RecommendationsRequest, body: bytes, model: str, seen: int) -> None:
        """Keep an answer."""
        if self._entries:
            self._kept[request] = Entry(body, model, seen, time.monotonic() + self._ttl_s)
            self._kept.move_to_end(request)
            if len(self._kept) > self._entries:
                self._kept.popitem(last=False)
