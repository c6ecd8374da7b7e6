"""How often somebody may ask: the generic cell rate algorithm, one number for each caller and rate.

A caller has a theoretical arrival time, at which the burst would be empty again. A request moves it on by 1 / rate, and
is refused if it would lie more than the burst ahead of now (ITU-T I.371, annex A: the virtual scheduling algorithm). So
a caller is never held for longer than needed, and no window begins at which everybody may ask at once.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mgw.gateway.definition import Limit, RouteLimit

_MOST_CALLERS = 100_000
_ROUNDING_S, _ROUNDING = 1e-9, 1e-6


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate and how far it may be run ahead of.

    Attributes:
        interval_s: between two requests.
        burst: how many may come at once.
    """

    interval_s: float
    burst: int


class Decision(NamedTuple):
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


def rates_of(limit: Limit | RouteLimit) -> tuple[Rate, ...]:
    """Return the rates of a limit: per second with its burst, and per minute, which may all come in a minute's time."""
    return Rate(1 / limit.per_second, limit.burst), Rate(60 / limit.per_minute, limit.per_minute)


class Limiter:
    """Counts of one process.

    Args:
        clock: monotonic, in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._arrivals: OrderedDict[tuple[str, str], Sequence[float]] = OrderedDict()

    def ask(self, group: str, caller: str, rates: Sequence[Rate]) -> Decision:
        """Let a request pass or not; one that may not counts for nothing.

        Args:
            group: a tier, or a route; a caller is counted in each by itself.
            caller: whose requests are counted together.
            rates: of the group.
        """
        now, key, arrivals = self._clock(), (group, caller), self._arrivals
        decision, after = decide(rates, arrivals.get(key) or (0.0,) * len(rates), now)
        if decision.allowed:
            arrivals[key] = after
            arrivals.move_to_end(key)
            if len(arrivals) > _MOST_CALLERS:  # who was longest not here has most likely its whole burst again
                arrivals.popitem(last=False)
        return decision


def decide(rates: Sequence[Rate], before: Sequence[float], now: float) -> tuple[Decision, list[float]]:
    """Decide by the arrival times of a caller, one for each rate, and return what they are after the request."""
    after, wait_s, least = [], 0.0, math.inf
    nearest, nearest_ahead_s = rates[0], 0.0
    for rate, arrival in zip(rates, before, strict=True):
        interval_s = rate.interval_s
        ahead_s = arrival - now if arrival > now else 0.0
        after.append(now + ahead_s + interval_s)
        room = rate.burst - ahead_s / interval_s  # in requests, this one among them
        if room < 1 and (1 - room) * interval_s > wait_s:
            wait_s = (1 - room) * interval_s
        if room < least:
            least, nearest, nearest_ahead_s = room, rate, ahead_s
    allowed = wait_s <= _ROUNDING_S
    decision = Decision(
        allowed=allowed,
        limit=nearest.burst,
        remaining=max(math.floor(least - allowed + _ROUNDING), 0),
        retry_after_s=0.0 if allowed else wait_s,
        reset_s=nearest_ahead_s + nearest.interval_s * allowed,
    )
    return decision, after


@lru_cache(maxsize=4096)
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


def hash_of(key: str) -> str:
    """Return what an API key is known by: whoever sees it cannot use it."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]
