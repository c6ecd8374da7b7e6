"""One variant beside the control, in one metric: the difference, the lift, and how sure they are."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Self

from mgw.core.errors import NotEnoughData
from mgw.experiments.corrections import benjamini_hochberg, holm
from mgw.experiments.fixed_horizon import welch, welch_p_value
from mgw.experiments.posterior import Posterior
from mgw.experiments.quantiles import fixed_probabilities, sequential_probabilities
from mgw.experiments.sequential import TUNED_FOR, always_valid_p_value, confidence_sequence
from mgw.experiments.statistics import Difference, Interval

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mgw.experiments.definition import Definition
    from mgw.experiments.statistics import Moments


@dataclass(frozen=True, slots=True)
class Method:
    """How intervals and p-values are made.

    Attributes:
        kind: sequential, fixed or bayesian.
        alpha: the chance that an interval misses.
        tuned_for: users of two variants at which a sequence is narrowest.
        prior_sd: how large lifts usually are, for a belief; infinite where nothing was known.
        correction: of p-values for each other.
    """

    kind: Literal["sequential", "fixed", "bayesian"] = "sequential"
    alpha: float = 0.05
    tuned_for: int = TUNED_FOR
    prior_sd: float = math.inf
    correction: Literal["holm", "benjamini-hochberg", "none"] = "holm"

    @classmethod
    def of(cls, definition: Definition) -> Self:
        """Return the method of an experiment."""
        analysis = definition.analysis
        planned = None if analysis.users is None else max(2 * analysis.users // len(definition.variants), 2)
        return cls(
            kind=analysis.method,
            alpha=analysis.alpha,
            tuned_for=analysis.tuned_for or planned or TUNED_FOR,
            prior_sd=analysis.prior_sd or math.inf,
            correction=analysis.correction,
        )

    def interval(self, difference: Difference, scale: float = 1.0) -> Interval:
        """Return where a difference is; `scale` is what a lift of 1 is in its unit."""
        if self.kind == "sequential":
            return confidence_sequence(difference, self.alpha, tuned_for=self.tuned_for)
        if self.kind == "fixed":
            return welch(difference, self.alpha)
        return self.belief(difference, scale).interval(self.alpha)

    def p_value(self, difference: Difference) -> float | None:
        """Return the p-value of no difference; None where one believes instead."""
        if self.kind == "sequential":
            return always_valid_p_value(difference, self.alpha, tuned_for=self.tuned_for)
        return welch_p_value(difference) if self.kind == "fixed" else None

    def belief(self, difference: Difference, scale: float = 1.0) -> Posterior:
        """Return what to believe of a difference."""
        return Posterior.of(difference, prior_sd=self.prior_sd * scale)

    def probabilities(self, n: int, quantile: float) -> tuple[float, float]:
        """Return at which probabilities the bounds of one variant's quantile are, for a difference of two.

        Raises:
            NotEnoughData: there are too few users.
        """
        bound = sequential_probabilities if self.kind == "sequential" else fixed_probabilities
        return bound(n, quantile, self.alpha / 2)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A variant less the control, in a metric. What could not be computed is None, and `problem` says why.

    Attributes:
        difference: of the means, ratios or quantiles, in the metric's own unit.
        lift: the difference as a share of the control's; None where that is not above 0.
        p_value: of no difference, by itself; None for a quantile and a belief, which have an interval alone.
        adjusted_p_value: the same, where there are several comparisons.
        chance_to_win: the probability that the variant is the better one, after the data; None for a quantile.
        expected_loss: what choosing it costs on average where it is the worse one, as a share of the control's.
        problem: why there is no difference.
    """

    difference: Interval | None = None
    lift: Interval | None = None
    p_value: float | None = None
    adjusted_p_value: float | None = None
    chance_to_win: float | None = None
    expected_loss: float | None = None
    problem: str | None = None

    def is_found(self, alpha: float) -> bool:
        """Whether there is a difference, all comparisons counted."""
        if self.adjusted_p_value is not None:
            return self.adjusted_p_value < alpha
        return self.difference is not None and self.difference.excludes_zero


def compare(strata: Sequence[tuple[Moments, Moments]], method: Method, *, more_is_better: bool) -> Comparison:
    """Compare the means of a variant and of the control.

    Args:
        strata: the moments of control and variant, of each group of users that was assigned by the same weights.
        method: which one.
        more_is_better: whether the larger mean wins.
    """
    try:
        difference = _over(strata, Difference.of)
    except NotEnoughData as error:
        return Comparison(problem=error.message)
    try:
        relative = _over(strata, Difference.relative)
    except NotEnoughData:  # the difference says what can be said
        belief = Posterior.of(difference)
        chance = belief.chance_to_win if more_is_better else 1 - belief.chance_to_win
        return Comparison(
            method.interval(difference, math.inf), p_value=method.p_value(difference), chance_to_win=chance
        )
    belief = method.belief(relative)
    control = sum((pair[0] for pair in strata[1:]), start=strata[0][0])
    return Comparison(
        difference=method.interval(difference, control.mean),
        lift=method.interval(relative),
        p_value=method.p_value(difference),
        chance_to_win=belief.chance_to_win if more_is_better else 1 - belief.chance_to_win,
        expected_loss=belief.expected_loss if more_is_better else belief.expected_loss_of_control,
    )


def compare_quantiles(control: tuple[float, float, float], treatment: tuple[float, float, float]) -> Comparison:
    """Compare quantiles, each given with its lower and upper bound: low, estimate, high."""
    low, estimate, high = treatment[0] - control[2], treatment[1] - control[1], treatment[2] - control[0]
    lift = None
    if control[0] > 0:
        lift = Interval(treatment[1] / control[1] - 1, treatment[0] / control[2] - 1, treatment[2] / control[0] - 1)
    return Comparison(difference=Interval(estimate, low, high), lift=lift)


def adjusted(family: Sequence[Comparison], method: Method) -> list[Comparison]:
    """Adjust the p-values of comparisons for each other; one without a p-value counts as a member all the same."""
    given = [1.0 if each.p_value is None else each.p_value for each in family]
    if method.correction == "none" or not given:
        found = given
    else:
        found = (holm if method.correction == "holm" else benjamini_hochberg)(given).tolist()
    return [
        each if each.p_value is None else replace(each, adjusted_p_value=p)
        for each, p in zip(family, found, strict=True)
    ]


def _over(strata: Sequence[tuple[Moments, Moments]], of: Callable[[Moments, Moments], Difference]) -> Difference:
    """Compare group by group; one that is too small to be compared is left out."""
    found, problem = [], NotEnoughData("a variant has no users")
    for control, treatment in strata:
        try:
            found.append(of(control, treatment))
        except NotEnoughData as error:
            problem = error
    if not found:
        raise problem
    return Difference.stratified(found)
