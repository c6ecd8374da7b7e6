"""What another ranking would have earned, from the log of the one that ran.

Each logged decision has a reward r, the chance p with which it was made, and the chance π with which the other ranking
would have made it; w = π / p. A model of the rewards, where there is one, says q of the decision that was made and v,
its mean over what the other ranking would have done.

    replay            Σ r / n over decisions that the other would have made for sure (Li, Chu, Langford & Wang 2011)
    ips               mean of w r (Horvitz & Thompson 1952)
    clipped           mean of min(w, M) r (Bottou et al. 2013)
    snips             Σ w r / Σ w (Swaminathan & Joachims 2015)
    direct            mean of v
    doubly-robust     mean of v + w (r - q) (Dudík, Erhan, Langford & Li 2014)
    switch            mean of v + w 1[w ≤ τ] (r - q): where w is large, the model alone (Wang, Agarwal & Dudík 2017)

The interval is over users: a user's decisions are not independent, so their contributions are summed first. The log can
speak only of what it tried: where the other ranking does what was never done there is no estimate, and where few
decisions carry all the weight the effective sample size, (Σ w)² / Σ w² (Kong 1992), says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from scipy import stats

from mgw.core.errors import ExperimentInvalid, NotEnoughData

if TYPE_CHECKING:
    from numpy.typing import NDArray

Estimator: TypeAlias = Literal["replay", "ips", "clipped", "snips", "direct", "doubly-robust", "switch"]
ESTIMATORS: tuple[Estimator, ...] = ("replay", "ips", "clipped", "snips", "direct", "doubly-robust", "switch")

LEAST_EFFECTIVE = 100.0
"""The effective sample size below which nothing is said: a normal interval needs about so many."""

LEAST_SUPPORT = 0.95
"""The mean weight below which the log misses what the other ranking does: it is 1 where everything could be tried."""

_DOUBT = 0.003  # a mean weight is said to be too low only where chance hardly makes it so


@dataclass(frozen=True, slots=True)
class Log:
    """Decisions, one in each place of the arrays, `(n,)`.

    Attributes:
        rewards: what each earned.
        propensities: the chance with which it was made, above 0.
        target: the chance with which the other ranking would have made it.
        users: whose it was, numbered from 0 on.
        predicted: what a model says of it; None without one.
        expected: the model's mean over what the other ranking would have done; None without one.
    """

    rewards: NDArray[np.float64]
    propensities: NDArray[np.float64]
    target: NDArray[np.float64]
    users: NDArray[np.int64]
    predicted: NDArray[np.float64] | None = None
    expected: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        columns = [self.rewards, self.propensities, self.target, self.users]
        columns += [each for each in (self.predicted, self.expected) if each is not None]
        if len({len(column) for column in columns}) != 1:
            raise ExperimentInvalid("the columns of a log are of one length")
        if not all(np.isfinite(column).all() for column in columns):
            raise ExperimentInvalid("a log has a value that is not a number")
        if not ((self.propensities > 0) & (self.propensities <= 1)).all():
            raise ExperimentInvalid("a decision was made with a propensity that is not above 0 and at most 1")
        if not ((self.target >= 0) & (self.target <= 1)).all():
            raise ExperimentInvalid("a decision would be made with a chance that is not 0 to 1")

    @property
    def weights(self) -> NDArray[np.float64]:
        """How much more often the other ranking would have made each decision, `(n,)`."""
        return self.target / self.propensities

    @property
    def effective_size(self) -> float:
        """How many decisions of equal weight tell as much."""
        weights = self.weights
        squares = float(weights @ weights)
        return float(weights.sum()) ** 2 / squares if squares else 0.0

    @property
    def support(self) -> float:
        """The mean weight: the share of what the other ranking does that the log could have tried."""
        return float(self.weights.mean())


@dataclass(frozen=True, slots=True)
class Value:
    """What a ranking is estimated to earn in a decision.

    Attributes:
        estimate: of the mean reward.
        low: lower end of the interval.
        high: upper end.
    """

    estimate: float
    low: float
    high: float


def estimate_value(
    log: Log, estimator: Estimator, *, alpha: float = 0.05, clip: float = 10.0, switch: float = 10.0
) -> Value:
    """Estimate what the other ranking would have earned.

    Args:
        log: of the one that ran.
        estimator: which one.
        alpha: the chance that the interval misses.
        clip: M, the largest weight that `clipped` takes.
        switch: τ, the weight above which `switch` leaves a decision to the model.

    Raises:
        NotEnoughData: the log has no support for the other ranking, its effective size is too small, or it has fewer
            than two users.
        ExperimentInvalid: the estimator takes a model of the rewards, and there is none.
    """
    _require_support(log, estimator, clip=clip, switch=switch)
    weights = log.weights
    if estimator == "replay":
        same = log.target == 1.0
        return _ratio(log.rewards * same, same.astype(np.float64), log.users, alpha)
    if estimator == "snips":
        return _ratio(weights * log.rewards, weights, log.users, alpha)
    return _mean(_contributions(log, estimator, weights, clip=clip, switch=switch), log.users, alpha)


def _contributions(
    log: Log, estimator: Estimator, weights: NDArray[np.float64], *, clip: float, switch: float
) -> NDArray[np.float64]:
    if estimator == "ips":
        return weights * log.rewards
    if estimator == "clipped":
        return np.minimum(weights, clip) * log.rewards
    if log.predicted is None or log.expected is None:
        raise ExperimentInvalid(
            f"{estimator} takes a model of the rewards", hint="give what it predicts and expects, or take snips"
        )
    if estimator == "direct":
        return log.expected
    used = weights if estimator == "doubly-robust" else np.where(weights <= switch, weights, 0.0)
    return log.expected + used * (log.rewards - log.predicted)


def _require_support(log: Log, estimator: Estimator, *, clip: float, switch: float) -> None:
    """Refuse to answer what the log cannot tell; the model alone needs no log."""
    if not len(log.rewards):
        raise NotEnoughData("the log is empty")
    if estimator == "direct":
        return
    if estimator == "replay":
        matched = int((log.target == 1.0).sum())
        if matched < LEAST_EFFECTIVE:
            raise NotEnoughData(
                f"{matched} logged decisions are what the other ranking does; replay takes {LEAST_EFFECTIVE:g}"
            )
        return
    if _mean(log.weights, log.users, _DOUBT).high < LEAST_SUPPORT and estimator != "switch":
        raise NotEnoughData(
            f"the log could have tried {log.support:.0%} of what the other ranking does; of the rest it knows nothing",
            hint="log with more exploration, or compare rankings that are more alike",
        )
    if log.effective_size < LEAST_EFFECTIVE:
        raise NotEnoughData(
            f"few decisions carry the weight: the log is worth {log.effective_size:.1f} of {len(log.rewards):,}",
            hint="log more, or with more exploration",
        )
    cut = {"clipped": clip, "switch": switch}.get(estimator)
    if cut is not None and not cut > 0:
        raise ExperimentInvalid(f"a limit of {cut:g} on the weights: it has to be above 0")


def _mean(contributions: NDArray[np.float64], users: NDArray[np.int64], alpha: float) -> Value:
    ones = np.ones_like(contributions)
    return _ratio(contributions, ones, users, alpha)


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64], users: NDArray[np.int64], alpha: float) -> Value:
    """Return Σ above / Σ below with an interval over users, by the delta method."""
    _, numbers = np.unique(users, return_inverse=True)
    sums, sizes = np.bincount(numbers, above), np.bincount(numbers, below)
    n = len(sums)
    if n < 2:
        raise NotEnoughData(f"the log has {n} users; an interval takes two")
    estimate = float(sums.sum() / sizes.sum())
    residuals = (sums - estimate * sizes) / sizes.mean()
    error = math.sqrt(float(residuals @ residuals) / (n - 1) / n)
    reach = float(stats.t.ppf(1 - alpha / 2, n - 1)) * error
    return Value(estimate, estimate - reach, estimate + reach)
