"""Two values of each user at once: a metric beside what was known of the user before, or beside what it is a ratio to.

Both come to a linear change of the metric, user by user, which is summed up as `Moments` and compared as any mean:

    CUPED    y - θ (x - x̄)         θ = cov(x, y) / var(x) over all variants (Deng, Xu, Kohavi & Walker 2013)
    ratio    R + (y - R x) / x̄     R = Σy / Σx of the variant: the delta method (Deng, Knoblich & Lu 2018)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from mgw.core.errors import NotEnoughData
from mgw.experiments.statistics import Moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class Joint:
    """Two values over the users of a variant, y and x; parts merge with `+`.

    Attributes:
        y: moments of the metric.
        x: moments of the other.
        products: the sum of the products of both, each less its mean.
    """

    y: Moments
    x: Moments
    products: float

    @classmethod
    def of(cls, y: ArrayLike, x: ArrayLike) -> Self:
        """Sum up both values of each user."""
        ys, xs = np.asarray(y, dtype=np.float64), np.asarray(x, dtype=np.float64)
        products = float((ys - ys.mean()) @ (xs - xs.mean())) if len(ys) else 0.0
        return cls(Moments.of(ys), Moments.of(xs), products)

    def __add__(self, other: Joint) -> Joint:
        if not (self.n and other.n):
            return self if self.n else other
        apart = (other.y.mean - self.y.mean) * (other.x.mean - self.x.mean)
        between = apart * self.n * other.n / (self.n + other.n)
        return Joint(self.y + other.y, self.x + other.x, self.products + other.products + between)

    @property
    def n(self) -> int:
        """The users."""
        return self.y.n

    @property
    def covariance(self) -> float:
        """The covariance over the users, with n - 1.

        Raises:
            NotEnoughData: there are fewer than two.
        """
        if self.n < 2:
            few = "no users" if self.n < 1 else "one user, and a covariance takes two"
            raise NotEnoughData(f"a variant has {few}")
        return self.products / (self.n - 1)

    def ratio(self) -> Moments:
        """Return the ratio of the sums, Σy / Σx, as a mean over the users.

        Raises:
            NotEnoughData: there are fewer than two users, or the sum of x is 0.
        """
        denominator = self.x.mean
        if denominator == 0:
            raise NotEnoughData("the denominator of a ratio is 0 over all users of a variant")
        ratio = self.y.mean / denominator
        spread = self.y.variance - 2 * ratio * self.covariance + ratio * ratio * self.x.variance
        return _moments(self.n, ratio, spread / (denominator * denominator))


def cuped(variants: Sequence[Joint]) -> tuple[Moments, ...]:
    """Take from the metric of every variant what was known of its users before.

    Args:
        variants: the metric, and the same or another value from before the exposure; what is 0 for all changes nothing.

    Raises:
        NotEnoughData: a variant has fewer than two users.
    """
    whole = sum(variants[1:], start=variants[0])
    # Within the variants: between them there is what the experiment did.
    shared, spread = sum(each.products for each in variants), sum(each.x.deviations for each in variants)
    theta = shared / spread if spread > 0 else 0.0
    return tuple(
        _moments(
            each.n,
            each.y.mean - theta * (each.x.mean - whole.x.mean),
            each.y.variance - 2 * theta * each.covariance + theta * theta * each.x.variance,
        )
        for each in variants
    )


def _moments(n: int, mean: float, variance: float) -> Moments:
    return Moments(n, n * mean, max(variance, 0.0) * (n - 1))
