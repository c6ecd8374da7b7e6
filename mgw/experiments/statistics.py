"""What is known of a metric in a variant, and of the difference between two.

A variant is three numbers, `Moments`, which are summed where the events are and merge with `+`. A `Difference` is an
estimate with its variance; what can be said of it is in `sequential`, `fixed_horizon` and `posterior`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from mgw.core.errors import NotEnoughData

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class Moments:
    """A metric over the users of a variant.

    Two parts merge exactly, whatever their means (Chan, Golub & LeVeque 1983, equation 1.5), and a variance of 1 is not
    lost about a mean of 1e9.

    Attributes:
        n: users.
        total: the sum of their values.
        deviations: the sum of the squares of the values less their mean.
    """

    n: int
    total: float
    deviations: float

    @classmethod
    def of(cls, values: ArrayLike) -> Self:
        """Sum up one value for each user."""
        found = np.asarray(values, dtype=np.float64)
        if not len(found):
            return cls(0, 0.0, 0.0)
        with np.errstate(over="ignore", invalid="ignore"):  # a difference refuses what is not finite
            about = found - found.mean()
            return cls(len(found), float(found.sum()), float(about @ about))

    def __add__(self, other: Moments) -> Moments:
        if not (self.n and other.n):
            return self if self.n else other
        n = self.n + other.n
        apart = other.total / other.n - self.total / self.n
        between = apart * apart * self.n * other.n / n
        return Moments(n, self.total + other.total, self.deviations + other.deviations + between)

    @property
    def mean(self) -> float:
        """The mean over the users.

        Raises:
            NotEnoughData: there are none.
        """
        if self.n < 1:
            raise NotEnoughData("a variant has no users")
        return self.total / self.n

    @property
    def variance(self) -> float:
        """The variance over the users, with n - 1.

        Raises:
            NotEnoughData: there are fewer than two.
        """
        if self.n < 2:
            few = "no users" if self.n < 1 else "one user, and a variance takes two"
            raise NotEnoughData(f"a variant has {few}")
        return self.deviations / (self.n - 1)


@dataclass(frozen=True, slots=True)
class Interval:
    """A difference, and where the true one is.

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


@dataclass(frozen=True, slots=True)
class Difference:
    """Treatment less control, and how sure that is.

    Attributes:
        estimate: of the difference.
        variance: of the estimate, above 0.
        freedom: degrees of freedom of the variance (Welch 1947; Satterthwaite 1946).
        n: users of both variants.
    """

    estimate: float
    variance: float
    freedom: float
    n: int

    @classmethod
    def of(cls, control: Moments, treatment: Moments) -> Self:
        """Return the difference of the means.

        Raises:
            NotEnoughData: a variant has fewer than two users, or neither varies.
        """
        parts = control.variance / control.n, treatment.variance / treatment.n
        return cls(
            treatment.mean - control.mean, *_spread(parts, (control.n - 1, treatment.n - 1)), control.n + treatment.n
        )

    @classmethod
    def relative(cls, control: Moments, treatment: Moments) -> Self:
        """Return the difference as a share of the control's mean, treatment / control - 1, by the delta method.

        Raises:
            NotEnoughData: as `of`; or the control's mean is not above 0, so that a share of it says nothing.
        """
        base = control.mean
        if base <= 0:
            raise NotEnoughData(f"the control's mean is {base:g}: a lift is a share of a mean above 0")
        ratio = treatment.mean / base
        parts = (
            control.variance / control.n * (ratio / base) ** 2,
            treatment.variance / treatment.n / base**2,
        )
        return cls(ratio - 1, *_spread(parts, (control.n - 1, treatment.n - 1)), control.n + treatment.n)

    @classmethod
    def stratified(cls, strata: Sequence[Difference]) -> Self:
        """Return the mean of the differences of groups, each by its share of the users (Cochran 1977, §5.3)."""
        n = sum(each.n for each in strata)
        shares = [each.n / n for each in strata]
        parts = [share**2 * each.variance for share, each in zip(shares, strata, strict=True)]
        estimate = sum(share * each.estimate for share, each in zip(shares, strata, strict=True))
        return cls(estimate, *_spread(parts, [each.freedom for each in strata]), n)

    def __post_init__(self) -> None:
        if not (self.variance > 0 and math.isfinite(self.variance) and math.isfinite(self.estimate)):
            raise NotEnoughData(
                "all users of both variants have the same value: nothing can be said of a difference"
                if self.variance == 0
                else "the values are too large to be summed up"
            )


def _spread(parts: Sequence[float], freedoms: Sequence[float]) -> tuple[float, float]:
    """Return the variance of a sum and its degrees of freedom."""
    variance = sum(parts)
    if not (variance > 0 and math.isfinite(variance)):
        return variance, 0.0
    shares = [part / variance for part in parts]
    return variance, 1 / sum(share * share / freedom for share, freedom in zip(shares, freedoms, strict=True))
