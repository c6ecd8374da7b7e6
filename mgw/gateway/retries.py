"""Asking again: seldom enough that it never makes things worse.

A budget lets retries be a share of the requests of the last seconds: when everything fails, the upstream gets a fifth
more requests, and not twice as many (Google 2016, "Site Reliability Engineering", chapter 22).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""What may be asked twice (RFC 9110, section 9.2.2)."""

RETRIED_STATUSES = frozenset({502, 503, 504})
_WINDOW_S = 10.0
_ALWAYS = 3
"""Retries in a window that are let pass however few requests there are."""


class RetryBudget:
    """The retries of one upstream.

    Args:
        share: of the requests.
        clock: monotonic, in seconds.
    """

    def __init__(self, share: float, clock: Callable[[], float]) -> None:
        self._share = share
        self._clock = clock
        self._requests: deque[float] = deque()
        self._retries: deque[float] = deque()

    def count(self) -> None:
        """Take note of a request."""
        now = self._clock()
        self._requests.append(now)
        _forget(self._requests, now - _WINDOW_S)

    def take(self) -> bool:
        """Let a retry pass or not."""
        now = self._clock()
        for kept in (self._requests, self._retries):
            _forget(kept, now - _WINDOW_S)
        if self._share <= 0 or len(self._retries) >= max(self._share * len(self._requests), _ALWAYS):
            return False
        self._retries.append(now)
        return True


def _forget(moments: deque[float], before: float) -> None:
    while moments and moments[0] < before:
        moments.popleft()
