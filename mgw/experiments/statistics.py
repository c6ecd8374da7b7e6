"""Means of variants and their differences, with intervals that hold whenever one looks.

What is kept of a variant is three numbers, `Moments`, which are summed where the events are and merge with `+`.

The interval by default is an asymptotic confidence sequence: it covers the true difference at all looks at once, so an
experiment may be stopped when it excludes 0, and may be looked at as often as anybody likes (Waudby-Smith, Arbour,
Sinha, Kennedy & Ramdas 2024, "Time-uniform central limit theory and asymptotic confidence sequences"):

    difference ± sqrt( V · (1 + 1 / nρ²) · log((1 + nρ²) / α²) )

V is the estimated variance of the difference and n the number of users of both variants; ρ makes the interval narrowest
where n is `tuned_for`. The interval of a fixed horizon is Welch's (1947), and holds for one look.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy import stats

from mgw.core.errors import NotEnoughData

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class Moments:
    """What is known of a metric in a variant: how many users, the sum of their values, and of the squares.

    The sums are of the values less `shift`, which is about their mean: squares of 1e9 would leave nothing of a variance
    of 1. Only moments of one shift are merged.
    """

    n: int
    total: float
    squares: float
    shift: float = 0.0

    @classmethod
    def of(cls, values: ArrayLike, shift: float = 0.0) -> Self:
        """Sum up one value for each user."""
        found = np.asarray(values, dtype=np.float64) - shift
        return cls(len(found), float(found.sum()), float((found * found).sum()), shift)

    def __add__(self, other: Moments) -> Moments:
        if self.shift != other.shift:
            raise ValueError(f"moments about {self.shift:g} and about {other.shift:g} do not add up")
        return Moments(self.n + other.n, self.total + other.total, self.squares + other.squares, self.shift)

    @property
    def mean(self) -> float:
        """The mean over the users.

        Raises:
            NotEnoughData: there are none.
        """
        if self.n < 1:
            raise NotEnoughData("a variant has no users")
        return self.shift + self.total / self.n

    @property
    def variance(self) -> float:
        """The variance over the users, with n - 1.

        Raises:
            NotEnoughData: there are fewer than two.
        """
        if self.n < 2:
            raise NotEnoughData(f"a variant has {self.n} users; a variance takes two")
        return max(self.squares - self.total * self.total / self.n, 0.0) / (self.n - 1)


@dataclass(frozen=True, slots=True)
class Interval:
    """A difference of means, and where the true one is.

    Attributes:
        estimate: treatment less control.
        low: lower end.
        high: upper end.
    """

    estimate: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether there is a difference."""
        return self.low > 0 or self.high < 0


def welch(control: Moments, treatment: Moments, alpha: float = 0.05) -> Interval:
    """Return the interval of a fixed horizon, for one look.

    Raises:
        NotEnoughData: a variant has fewer than two users, or neither varies.
    """
    parts = _variances_of_means(control, treatment)
    variance = sum(parts)
    freedom = variance**2 / sum(
        part**2 / (moments.n - 1) for part, moments in zip(parts, (control, treatment), strict=True)
    )
    reach = float(stats.t.ppf(1 - alpha / 2, freedom)) * math.sqrt(variance)
    return _around(treatment.mean - control.mean, reach)


def confidence_sequence(
    control: Moments, treatment: Moments, alpha: float = 0.05, *, tuned_for: int = 10_000
) -> Interval:
    """Return the interval that holds at every look.

    Args:
        control: of the one.
        treatment: of the other.
        alpha: the chance that it ever misses the true difference.
        tuned_for: the number of users, of both variants, at which it is to be narrowest.

    Raises:
        NotEnoughData: a variant has fewer than two users, or neither varies.
    """
    variance, n = sum(_variances_of_means(control, treatment)), control.n + treatment.n
    rho_squared = _rho_squared(alpha, tuned_for)
    scaled = n * rho_squared
    reach = math.sqrt(variance * (1 + 1 / scaled) * math.log((1 + scaled) / alpha**2))
    return _around(treatment.mean - control.mean, reach)


def always_valid_p_value(
    control: Moments, treatment: Moments, alpha: float = 0.05, *, tuned_for: int = 10_000
) -> float:
    """Return the least α' at which the confidence sequence with the ρ of `alpha` excludes 0, at most 1.

    It is below `alpha` where `confidence_sequence` excludes 0, and may be looked at as often.

    Raises:
        NotEnoughData: a variant has fewer than two users, or neither varies.
    """
    variance = sum(_variances_of_means(control, treatment))
    scaled = (control.n + treatment.n) * _rho_squared(alpha, tuned_for)
    difference = treatment.mean - control.mean
    exponent = 0.5 * math.log1p(scaled) - difference * difference / (2 * variance * (1 + 1 / scaled))
    return math.exp(min(exponent, 0.0))


def _rho_squared(alpha: float, tuned_for: int) -> float:
    """Return ρ² for which the interval is narrowest at so many users (the paper's appendix on tuning)."""
    log = -2 * math.log(alpha)
    return (log + math.log(log + 1)) / tuned_for


def _variances_of_means(control: Moments, treatment: Moments) -> tuple[float, float]:
    parts = control.variance / control.n, treatment.variance / treatment.n
    if sum(parts) <= 0:
        raise NotEnoughData("all users of both variants have the same value: nothing can be said of a difference")
    return parts


def _around(estimate: float, reach: float) -> Interval:
    return Interval(estimate, estimate - reach, estimate + reach)
