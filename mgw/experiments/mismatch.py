"""Sample-ratio mismatch: whether the variants have the shares of users that they should have, at every look.

Where they do not, something loses users on one side (a redirect, a crash, a bot filter), and no difference of means is
to be believed. The test compares the counts with a Dirichlet prior about the expected shares and is valid at all looks
(Lindon & Malek 2022, "Anytime-valid inference for multinomial count data"):

    B = Γ(a)/Γ(a + n) · Π_i Γ(a_i + n_i)/Γ(a_i) / Π_i θ_i^n_i        a_i = a θ_i
    p = min(1, 1 / B)
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scipy.special import gammaln

from mgw.core.errors import ExperimentInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence

CONCENTRATION = 10_000.0
"""How close to the expected shares another one is thought to be: with it a share is off by about one in a hundred."""


def mismatch_p_value(phases: Sequence[tuple[Sequence[int], Sequence[float]]]) -> float:
    """Return an always-valid p-value of that the users were drawn by the weights.

    The factors of phases multiply: each bets on users that the ones before have not seen.

    Args:
        phases: of each, the users of each variant, and the weights, which sum to 1.

    Raises:
        ExperimentInvalid: there are not as many weights as counts, a count is negative, or a variant of weight 0 has
            users.
    """
    return math.exp(min(-sum(_log_factor(counts, weights) for counts, weights in phases), 0.0))


def _log_factor(counts: Sequence[int], weights: Sequence[float]) -> float:
    if len(counts) != len(weights) or any(count < 0 for count in counts):
        raise ExperimentInvalid(f"counts {list(counts)} do not go with weights {list(weights)}")
    if any(count and not weight for count, weight in zip(counts, weights, strict=True)):
        raise ExperimentInvalid("a variant of weight 0 has users")
    log_factor = float(gammaln(CONCENTRATION) - gammaln(CONCENTRATION + sum(counts)))
    for count, weight in zip(counts, weights, strict=True):
        if weight:
            prior = CONCENTRATION * weight
            log_factor += float(gammaln(prior + count) - gammaln(prior)) - count * math.log(weight)
    return log_factor
