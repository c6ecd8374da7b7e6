"""How often somebody may ask: the generic cell rate algorithm, one number for each caller and rate.

A caller has a theoretical arrival time, at which the burst would be empty again. A request moves it on by 1 / rate, and
is refused if it would lie more than the burst ahead of now (ITU-T I.371, annex A: the virtual scheduling algorithm). So
a caller is never held for longer than needed, and no window begins at which everybody may ask at once.
"""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mgw.gateway.definition import Limit

_MOST_CALLERS = 100_000


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate and how far it may be run ahead of.

    Attributes:
        interval_s: between two requests.
        burst: how many may come at once.
    """

    interval_s: float
    burst: int


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a request may pass.

    Attributes:
        allowed: whether.
        limit: of the rate that is nearest to its end, in requests at once.
        remaining: how many more may come now.
        retry_after_s: when the next one may, where this one may not.
        reset_s: when everything may come again.
    """

    allowed: bool
    limit: int
    remaining: int
    retry_after_s: float
    reset_s: float


def rates_of(limit: Limit) -> tuple[Rate, ...]:
    """Return the rates of a limit: per second with its burst, and per minute, which may all come in a minute's time."""
    return Rate(1 / limit.per_second, limit.burst), Rate(60 / limit.per_minute, limit.per_minute)


class Limiter:
    """Limits of one process.

    Args:
        limits: by tier.
        clock: monotonic, in seconds.
    """

    def __init__(self, limits: Mapping[str, Limit], clock: Callable[[], float]) -> None:
        self._rates = {tier: rates_of(limit) for tier, limit in limits.items()}
        self._clock = clock
        self._arrivals: OrderedDict[tuple[str, str], tuple[float, ...]] = OrderedDict()

    def ask(self, tier: str, caller: str) -> Decision:
        """Let a request pass or not; one that may not counts for nothing."""
        now, key = self._clock(), (tier, caller)
        rates = self._rates[tier]
        before = self._arrivals.get(key, (0.0,) * len(rates))
        after = [max(arrival, now) + rate.interval_s for arrival, rate in zip(before, rates, strict=True)]
        waits = [arrival - now - rate.interval_s * rate.burst for arrival, rate in zip(after, rates, strict=True)]
        allowed = max(waits) <= 1e-9
        if allowed:
            self._arrivals[key] = tuple(after)
            self._arrivals.move_to_end(key)
            if len(self._arrivals) > _MOST_CALLERS:  # who was longest not here has most likely its whole burst again
                self._arrivals.popitem(last=False)
        arrivals = after if allowed else [max(arrival, now) for arrival in before]
        left = [
            math.floor((now + rate.interval_s * rate.burst - arrival) / rate.interval_s + 1e-6)
            for arrival, rate in zip(arrivals, rates, strict=True)
        ]
        nearest = min(range(len(rates)), key=lambda place: left[place])
        return Decision(
            allowed=allowed,
            limit=rates[nearest].burst,
            remaining=max(left[nearest], 0),
            retry_after_s=0.0 if allowed else max(waits),
            reset_s=max(arrivals[nearest] - now, 0.0),
        )


def caller_of(address: str) -> str:
    """Return by what an address is limited: itself, or its network of /64, which one subscriber of IPv6 has."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    mapped = found.ipv4_mapped
    return str(mapped) if mapped else str(ipaddress.ip_network(f"{found}/64", strict=False))
