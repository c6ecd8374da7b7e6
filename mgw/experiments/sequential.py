"""Intervals that hold whenever one looks.

An asymptotic confidence sequence covers the true difference at all looks at once, so an experiment may be stopped when
it excludes 0, and may be looked at as often as anybody likes (Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2024,
"Time-uniform central limit theory and asymptotic confidence sequences"):

    difference ± sqrt( V · (1 + 1 / nρ²) · log((1 + nρ²) / α²) )

V is the estimated variance of the difference and n the number of users of both variants; ρ makes the interval narrowest
where n is `tuned_for`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mgw.experiments.statistics import Interval

if TYPE_CHECKING:
    from mgw.experiments.statistics import Difference

TUNED_FOR = 10_000


def confidence_sequence(difference: Difference, alpha: float = 0.05, *, tuned_for: int = TUNED_FOR) -> Interval:
    """Return the interval that holds at every look.

    Args:
        difference: of two variants, as it is now.
        alpha: the chance that it ever misses the true difference.
        tuned_for: the number of users, of both variants, at which it is to be narrowest.
    """
    scaled = difference.n * _rho_squared(alpha, tuned_for)
    reach = math.sqrt(difference.variance * (1 + 1 / scaled) * math.log((1 + scaled) / alpha**2))
    return Interval(difference.estimate, difference.estimate - reach, difference.estimate + reach)


def always_valid_p_value(difference: Difference, alpha: float = 0.05, *, tuned_for: int = TUNED_FOR) -> float:
    """Return the least α' at which the confidence sequence with the ρ of `alpha` excludes 0, at most 1.

    It is below `alpha` where `confidence_sequence` excludes 0, and may be looked at as often.
    """
    scaled = difference.n * _rho_squared(alpha, tuned_for)
    squared = difference.estimate * difference.estimate / difference.variance
    exponent = 0.5 * math.log1p(scaled) - squared / (2 * (1 + 1 / scaled))
    return math.exp(min(exponent, 0.0))


def _rho_squared(alpha: float, tuned_for: int) -> float:
    """Return ρ² for which the interval is narrowest at so many users (the paper's appendix on tuning)."""
    log = -2 * math.log(alpha)
    return (log + math.log(log + 1)) / tuned_for
