"""Quantiles over users, with bounds that are quantiles themselves: at somewhat lower and higher probabilities.

For every look at once (Howard & Ramdas 2022, "Sequential estimation of quantiles with applications to A/B testing and
best-arm identification", equation 2), of n users:

    p ± 1.5 sqrt(p (1 - p) l) + 0.8 l        l = (1.4 log log(2.1 n) + log(10 / α)) / n

and for one look, by the normal distribution of how many users are below the true quantile: p ± z sqrt(p (1 - p) / n).
The difference of two variants is between the differences of their far ends, each at α / 2.
"""

from __future__ import annotations

import math

from scipy import stats

from mgw.core.errors import NotEnoughData


def sequential_probabilities(n: int, quantile: float, alpha: float) -> tuple[float, float]:
    """Return at which probabilities the bounds of a quantile are, for every look.

    Args:
        n: users.
        quantile: 0 to 1.
        alpha: the chance that the bounds ever miss it.

    Raises:
        NotEnoughData: there are too few users for a bound on both sides.
    """
    rate = (1.4 * math.log(math.log(2.1 * max(n, 2))) + math.log(10 / alpha)) / max(n, 1)
    return _within(n, quantile, 1.5 * math.sqrt(quantile * (1 - quantile) * rate) + 0.8 * rate)


def fixed_probabilities(n: int, quantile: float, alpha: float) -> tuple[float, float]:
    """Return the same for one look.

    Raises:
        NotEnoughData: there are too few users for a bound on both sides.
    """
    z = float(stats.norm.ppf(1 - alpha / 2))
    return _within(n, quantile, z * math.sqrt(quantile * (1 - quantile) / max(n, 1)))


def _within(n: int, quantile: float, reach: float) -> tuple[float, float]:
    low, high = quantile - reach, quantile + reach
    if low <= 0 or high >= 1:
        raise NotEnoughData(f"a variant has {n} users, too few to bound the quantile {quantile:g} on both sides")
    return low, high
