"""How many users an experiment takes, and what it can find with those that there are, for one look at its end.

    n = (σ²_c + σ²_t) · (z_{1-α/2} + z_{power})² / δ²            users of each variant

by the normal distribution; for a rate p the variance is p (1 - p). Who looks on the way with a confidence sequence
takes more: a sequence is wider than the interval of one look.
"""

from __future__ import annotations

import math

from scipy import stats

from mgw.core.errors import ExperimentInvalid


def users_per_variant(
    effect: float, control_variance: float, treatment_variance: float, *, alpha: float = 0.05, power: float = 0.8
) -> int:
    """Return how many users each variant takes to find a difference with some chance.

    Args:
        effect: the difference of the means that is to be found.
        control_variance: of the metric over the users.
        treatment_variance: of the same.
        alpha: the chance to find one where there is none.
        power: the chance to find it.

    Raises:
        ExperimentInvalid: the effect is 0, a variance is below 0, or a chance is not between 0 and 1.
    """
    spread = _checked(control_variance, treatment_variance, alpha, power)
    if effect == 0 or not math.isfinite(effect):
        raise ExperimentInvalid(f"no number of users finds a difference of {effect:g}")
    return max(math.ceil(spread * _reach(alpha, power) ** 2 / effect**2), 2)


def minimum_detectable_effect(
    n: int, control_variance: float, treatment_variance: float, *, alpha: float = 0.05, power: float = 0.8
) -> float:
    """Return the least difference of means that so many users of each variant find; as `users_per_variant`.

    Raises:
        ExperimentInvalid: there are fewer than two users, a variance is below 0, or a chance is not between 0 and 1.
    """
    spread = _checked(control_variance, treatment_variance, alpha, power)
    if n < 2:
        raise ExperimentInvalid(f"{n} users in a variant find nothing")
    return _reach(alpha, power) * math.sqrt(spread / n)


def _reach(alpha: float, power: float) -> float:
    return float(stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power))


def _checked(control_variance: float, treatment_variance: float, alpha: float, power: float) -> float:
    if not (0 < alpha < 1 and 0 < power < 1):
        raise ExperimentInvalid(f"alpha {alpha:g} and power {power:g}: both are between 0 and 1")
    spread = control_variance + treatment_variance
    if not (control_variance >= 0 and treatment_variance >= 0 and math.isfinite(spread)):  # NaN is not
        raise ExperimentInvalid(f"variances {control_variance:g} and {treatment_variance:g}: neither is below 0")
    return spread
