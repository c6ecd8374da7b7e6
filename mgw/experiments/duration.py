"""How long an experiment takes, and what it can find by when: by the users of the past, and by its method."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scipy import optimize, stats

from mgw.core.errors import ExperimentInvalid
from mgw.experiments.planning import minimum_detectable_effect, users_per_variant
from mgw.experiments.statistics import Difference

if TYPE_CHECKING:
    from mgw.experiments.comparison import Method
    from mgw.experiments.statistics import Moments

_MOST_USERS = 1e12


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is known of a metric beforehand.

    Attributes:
        mean: over the users; of a ratio, the ratio.
        variance: over the users, less what CUPED takes of it.
        users_per_day: who come for the first time and take part.
    """

    mean: float
    variance: float
    users_per_day: float

    @classmethod
    def of(cls, moments: Moments, users_per_day: float) -> Baseline:
        """Return the baseline of a history."""
        return cls(moments.mean, moments.variance, users_per_day)


def users_for(baseline: Baseline, lift: float, method: Method, power: float) -> int:
    """Return how many users each of two equal variants takes to find a lift at the end with some chance.

    A sequence finds many before: at the end its interval is as wide as it has to be there.

    Raises:
        ExperimentInvalid: the lift is 0, or the mean is not above 0.
    """
    effect = _effect(baseline, lift)
    if method.kind != "sequential":
        return users_per_variant(effect, baseline.variance, baseline.variance, alpha=method.alpha, power=power)
    if _sequential_effect(baseline, _MOST_USERS, method, power) > abs(effect):
        raise ExperimentInvalid(f"no number of users finds a lift of {lift:+.2%}")
    found = optimize.brentq(
        lambda log_n: _sequential_effect(baseline, math.exp(log_n), method, power) - abs(effect),
        math.log(2), math.log(_MOST_USERS),
    ) if _sequential_effect(baseline, 2, method, power) > abs(effect) else math.log(2)  # fmt: skip
    return math.ceil(math.exp(float(found)))


def detectable_lift(baseline: Baseline, n: int, method: Method, power: float) -> float:
    """Return the least lift that so many users of each of two variants find with some chance.

    Raises:
        ExperimentInvalid: there are fewer than two users, or the mean is not above 0.
    """
    _effect(baseline, 1.0)
    if method.kind != "sequential":
        least = minimum_detectable_effect(n, baseline.variance, baseline.variance, alpha=method.alpha, power=power)
    elif n < 2:
        raise ExperimentInvalid(f"{n} users in a variant find nothing")
    else:
        least = _sequential_effect(baseline, n, method, power)
    return least / baseline.mean


def _sequential_effect(baseline: Baseline, n: float, method: Method, power: float) -> float:
    """Return the effect whose sequence, after n users of each variant, excludes 0 with some chance."""
    variance = 2 * baseline.variance / n
    reach = method.interval(Difference(0.0, variance, n, round(2 * n))).high
    return reach + float(stats.norm.ppf(power)) * math.sqrt(variance)


def _effect(baseline: Baseline, lift: float) -> float:
    if not baseline.mean > 0:
        raise ExperimentInvalid(f"the metric's mean is {baseline.mean:g}: a lift is a share of a mean above 0")
    if lift == 0 or not math.isfinite(lift):
        raise ExperimentInvalid(f"no number of users finds a lift of {lift:g}")
    return lift * baseline.mean
