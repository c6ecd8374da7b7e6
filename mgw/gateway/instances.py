"""The instances of an upstream: which one is asked next, and which are left out for a while.

Of two that are drawn, the one with fewer requests under way is asked (Mitzenmacher 2001, "The power of two choices").
One that fails several times in a row is left out, each time for longer, and so is one whose health checks fail; when
all are left out, all are asked again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Collection, Iterator, Sequence

FAILURES_IN_A_ROW = 5
LEFT_OUT_S = 10.0
_LONGEST_S = 300.0


@dataclass(slots=True, eq=False)
class Instance:
    """One instance.

    Attributes:
        url: scheme, host and port.
        under_way: requests that it has not answered yet.
        failures: in a row.
        times_left_out: so far, without a success since.
        back_at: when it is asked again, on the clock.
        is_well: what its health checks say; without any it is.
    """

    url: str
    under_way: int = 0
    failures: int = 0
    times_left_out: int = 0
    back_at: float = 0.0
    is_well: bool = True


class Instances:
    """The instances of one upstream.

    Args:
        urls: of each.
        clock: monotonic, in seconds.
        rng: draws.
    """

    def __init__(self, urls: Sequence[str], clock: Callable[[], float], rng: random.Random) -> None:
        self._all = [Instance(url.rstrip("/")) for url in urls]
        self._clock = clock
        self._rng = rng

    def __iter__(self) -> Iterator[Instance]:
        """Yield all of them."""
        return iter(self._all)

    @property
    def under_way(self) -> int:
        """Requests that none has answered yet."""
        return sum(each.under_way for each in self._all)

    @property
    def left_out(self) -> list[Instance]:
        """Which are not asked now."""
        now = self._clock()
        return [each for each in self._all if each.back_at > now or not each.is_well]

    def choose(self, tried: Collection[Instance] = ()) -> Instance:
        """Choose one, if possible none that was tried already."""
        if len(self._all) == 1:
            return self._all[0]
        now = self._clock()
        left = [each for each in self._all if each.is_well and each.back_at <= now and each not in tried]
        left = left or [each for each in self._all if each not in tried] or self._all
        if len(left) == 1:
            return left[0]
        first, second = self._rng.sample(left, 2)
        return first if first.under_way <= second.under_way else second

    def record(self, instance: Instance, *, failed: bool) -> None:
        """Take note of how an instance answered."""
        if not failed:
            if instance.failures or instance.times_left_out:
                instance.failures = instance.times_left_out = 0
            return
        instance.failures += 1
        if instance.failures >= FAILURES_IN_A_ROW:
            instance.times_left_out += 1
            instance.failures = 0
            instance.back_at = self._clock() + min(LEFT_OUT_S * instance.times_left_out, _LONGEST_S)
