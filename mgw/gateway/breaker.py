"""A circuit breaker: an upstream that fails is left alone for a while, and then asked carefully.

closed       requests pass; where enough of the last ones failed, it opens
open         nothing passes for a time
half-open    a few requests pass; when all of them went well it closes, when one did not it opens again

A failure is no answer, one with a status of 5xx, or one that took too long (Nygard 2018, "Release It!", chapter 5).
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from mgw.gateway.definition import BreakerSettings


class State(StrEnum):
    """Of a breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """The breaker of one upstream.

    Args:
        settings: when it opens, and for how long.
        clock: monotonic, in seconds.
        on_open: called each time it opens by itself.
    """

    def __init__(
        self, settings: BreakerSettings, clock: Callable[[], float], on_open: Callable[[], object] = lambda: None
    ) -> None:
        self._on_open = on_open
        self._settings = settings
        self._clock = clock
        self._outcomes: deque[tuple[float, bool]] = deque()
        self._failures = 0
        self._opened_at: float | None = None
        self._probes = 0
        self._passed = 0
        self._forced: State | None = None

    @property
    def state(self) -> State:
        """What it is now."""
        if self._forced is not None:
            return self._forced
        if self._opened_at is None:
            return State.CLOSED
        return State.HALF_OPEN if self._clock() - self._opened_at >= self._settings.open_s else State.OPEN

    @property
    def retry_after_s(self) -> float:
        """For how long it is open still."""
        if self._opened_at is None:
            return 0.0
        return max(self._opened_at + self._settings.open_s - self._clock(), 0.0)

    def admit(self) -> bool:
        """Let a request pass or not; whoever may pass has to `record` what came of it."""
        if self._forced is not None:
            return self._forced is State.CLOSED
        if self._opened_at is None:
            return True
        state = self.state
        if state is State.HALF_OPEN:
            if self._probes >= self._settings.probes:
                return False
            self._probes += 1
        return state is not State.OPEN

    def record(self, *, failed: bool) -> None:
        """Take note of what came of a request that was let pass."""
        if self._forced is not None:
            return
        if self._opened_at is not None:
            self._record_probe(failed=failed)
            return
        now = self._clock()
        self._outcomes.append((now, failed))
        self._failures += failed
        while self._outcomes and self._outcomes[0][0] < now - self._settings.window_s:
            self._failures -= self._outcomes.popleft()[1]
        if self._failures >= self._settings.failures and (
            self._failures >= self._settings.error_rate * len(self._outcomes)
        ):
            self._open()
            self._on_open()

    def force(self, to: Literal["open", "closed", "auto"]) -> None:
        """Open or close it by hand, or have it go by what comes of requests again, as if nothing had been before."""
        self._forced = None if to == "auto" else State(to)
        self._opened_at = None
        self._outcomes.clear()
        self._failures = self._probes = self._passed = 0

    def open_as_told(self) -> None:
        """Open, because another worker found the upstream failing."""
        if self._forced is None and self.state is State.CLOSED:
            self._open()

    def forget(self) -> None:
        """Give a request back of which nothing came, because its client went away."""
        self._probes = max(self._probes - 1, 0)

    def _record_probe(self, *, failed: bool) -> None:
        if self.state is not State.HALF_OPEN:  # it began before this one opened: it tells nothing new
            return
        if failed:
            self._open()
            self._on_open()
            return
        self._passed += 1
        if self._passed >= self._settings.probes:
            self._opened_at = None

    def _open(self) -> None:
        self._opened_at = self._clock()
        self._outcomes.clear()
        self._failures = self._probes = self._passed = 0
