"""What to believe of a difference after the data: the chance to win, and what a wrong choice would cost.

The likelihood is normal, which many users make it; the prior is normal, or flat, so the posterior is normal as well:

    1 / s² = 1 / V + 1 / s₀²        m = s² (d / V + m₀ / s₀²)
    chance to win   Φ(m / s)
    expected loss   E[max(-δ, 0)] = s φ(m / s) - m Φ(-m / s)      of choosing the treatment

A flat prior makes the chance to win one minus the one-sided p-value: it too is for one look. A prior of one's own
experience (`sd` of about the effects that one has seen) shrinks what was found early, and is what makes looking often
harmless.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from scipy import stats

from mgw.core.errors import ExperimentInvalid
from mgw.experiments.statistics import Interval

if TYPE_CHECKING:
    from mgw.experiments.statistics import Difference


@dataclass(frozen=True, slots=True)
class Posterior:
    """A normal belief about a difference.

    Attributes:
        mean: of it.
        sd: its standard deviation.
    """

    mean: float
    sd: float

    @classmethod
    def of(cls, difference: Difference, *, prior_mean: float = 0.0, prior_sd: float = math.inf) -> Self:
        """Return what to believe after the data.

        Args:
            difference: of two variants.
            prior_mean: what was believed before, in the units of the difference.
            prior_sd: how far the truth was thought to be from it; infinite is a flat prior.

        Raises:
            ExperimentInvalid: the prior has no spread.
        """
        if not prior_sd > 0:
            raise ExperimentInvalid(f"a prior with a standard deviation of {prior_sd:g}", hint="it has to be above 0")
        precision = 1 / difference.variance + 1 / prior_sd**2
        mean = (difference.estimate / difference.variance + prior_mean / prior_sd**2) / precision
        return cls(mean, precision**-0.5)

    @property
    def chance_to_win(self) -> float:
        """The probability that the treatment's mean is the larger one."""
        return float(stats.norm.cdf(self.mean / self.sd))

    @property
    def expected_loss(self) -> float:
        """What choosing the treatment costs on average where it is the worse one, in the units of the difference."""
        z = self.mean / self.sd
        return float(self.sd * stats.norm.pdf(z) - self.mean * stats.norm.cdf(-z))

    @property
    def expected_loss_of_control(self) -> float:
        """What keeping the control costs on average where the treatment is the better one."""
        z = self.mean / self.sd
        return float(self.sd * stats.norm.pdf(z) + self.mean * stats.norm.cdf(z))

    def interval(self, alpha: float = 0.05) -> Interval:
        """Return the central interval that holds the difference with probability 1 - α."""
        reach = float(stats.norm.ppf(1 - alpha / 2)) * self.sd
        return Interval(self.mean, self.mean - reach, self.mean + reach)
