"""Deadlines for what is awaited: one timer for all of them, because one for each costs more than the rest of a call.

A deadline is kept to within a tick; what is late is cancelled, and said to be late.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

TICK_S = 0.05


class Deadline:
    """What is awaited inside ends in time, or by a TimeoutError."""

    __slots__ = ("_deadlines", "_is_late", "_task", "_tick")

    def __init__(self, deadlines: Deadlines, seconds: float) -> None:
        self._deadlines = deadlines
        self._tick = deadlines.tick_after(seconds)
        self._task = asyncio.current_task()
        self._is_late = False

    def __enter__(self) -> None:
        self._deadlines.add(self._tick, self)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._deadlines.drop(self._tick, self)
        if self._is_late and self._task is not None and self._task.uncancel() == 0 and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def end(self) -> None:
        """Cancel what is late."""
        if self._task is not None:
            self._is_late = True
            self._task.cancel()


class Deadlines:
    """The deadlines of one event loop; the timer runs only while there are any."""

    def __init__(self) -> None:
        self._of_ticks: dict[int, set[Deadline]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def within(self, seconds: float) -> Deadline:
        """Return what bounds a `with` block."""
        return Deadline(self, seconds)

    def tick_after(self, seconds: float) -> int:
        """Return the first tick that is so far away at least."""
        return int((time.monotonic() + seconds) / TICK_S) + 1

    def add(self, tick: int, deadline: Deadline) -> None:
        """Keep a deadline."""
        waiting = self._of_ticks.get(tick)
        if waiting is None:
            waiting = self._of_ticks[tick] = set()
        waiting.add(deadline)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TICK_S, self._end_late)

    def drop(self, tick: int, deadline: Deadline) -> None:
        """Forget a deadline that was met."""
        waiting = self._of_ticks.get(tick)
        if waiting is not None:
            waiting.discard(deadline)

    def _end_late(self) -> None:
        loop = asyncio.get_running_loop()
        now = int(time.monotonic() / TICK_S)
        for tick in [tick for tick in self._of_ticks if tick <= now]:
            for deadline in self._of_ticks.pop(tick):
                deadline.end()
        self._timer = loop.call_later(TICK_S, self._end_late) if self._of_ticks else None
