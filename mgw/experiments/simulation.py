"""Experiments that never were: users of the past are put into variants again and again, and looked at as they come.

Without an effect whatever is found is false (A/A). With one, the share of experiments that find it is the power, and
how many users that took is the time. The users, and so the spread and the outliers of the metric, are real.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mgw.core.errors import ExperimentInvalid, NotEnoughData
from mgw.core.progress import SILENT
from mgw.experiments.fixed_horizon import welch
from mgw.experiments.joint import Joint
from mgw.experiments.measure import moments_of
from mgw.experiments.statistics import Difference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mgw.core.progress import Progress
    from mgw.experiments.comparison import Method
    from mgw.experiments.definition import Metric
    from mgw.experiments.history import History


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated.

    Attributes:
        runs: how many experiments.
        looks: at how many moments each is looked at, after as many users each.
        lift: what the treatment does, as a share of the control's mean.
        users: of each experiment, drawn with replacement; None takes every user of the history once.
        weight: the treatment's.
        seed: of the draws.
    """

    runs: int = 1_000
    looks: int = 30
    lift: float = 0.0
    users: int | None = None
    weight: float = 0.5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Simulated:
    """What came of it, as shares of the experiments.

    Attributes:
        users: of each experiment.
        found: a difference at some look, by the method of the experiment.
        found_at_end: at the last look.
        wrong_way: the first difference found points the wrong way.
        covered: the true difference is in every interval.
        fixed_found: a difference at some look, by intervals that are meant for one.
        fixed_found_at_end: at the last look, by the same.
        median_users: at the first difference, of the experiments that found one; None where none did.
    """

    users: int
    found: float
    found_at_end: float
    wrong_way: float
    covered: float
    fixed_found: float
    fixed_found_at_end: float
    median_users: float | None


def simulate(history: History, metric: Metric, method: Method, plan: Plan, *, progress: Progress = SILENT) -> Simulated:
    """Run experiments on the history of a metric.

    Raises:
        ExperimentInvalid: a rate cannot be lifted so far, or there are not enough users for the looks.
    """
    n = len(history.y) if plan.users is None else plan.users
    if plan.looks < 1 or n < 4 * plan.looks:
        raise ExperimentInvalid(f"{n:,} users are too few for {plan.looks} looks", hint="take fewer with --looks")
    chance = _chance_to_convert(history, plan.lift) if metric.kind == "binary" else 0.0
    rng = np.random.default_rng(plan.seed)
    base = _mean(history, metric)
    outcomes = []
    with progress.stage("experiments", plan.runs) as stage:
        for _ in range(plan.runs):
            chosen = rng.permutation(len(history.y)) if plan.users is None else rng.integers(0, len(history.y), n)
            treated = rng.random(n) < plan.weight
            y, x = history.y[chosen].copy(), history.x[chosen]
            y[treated] = _lifted(y[treated], metric, plan.lift, chance, rng)
            outcomes.append(_run(list(_looks(y, x, treated, metric, plan.looks)), method, base, plan.lift))
            stage.advance()
    firsts = [first for first, *_ in outcomes if first]
    columns = np.array([row[1:] for row in outcomes], dtype=np.float64).mean(axis=0)
    return Simulated(
        users=n,
        found=len(firsts) / plan.runs,
        found_at_end=float(columns[0]),
        wrong_way=float(columns[1]),
        covered=float(columns[2]),
        fixed_found=float(columns[3]),
        fixed_found_at_end=float(columns[4]),
        median_users=float(np.median(firsts)) if firsts else None,
    )


def _run(looks: list[Difference], method: Method, base: float, lift: float) -> tuple[int, bool, bool, bool, bool, bool]:
    """Look at one experiment; first is the number of users at the first difference, 0 where there is none."""
    truth = base * lift
    intervals = [method.interval(look, abs(base)) for look in looks]
    one_look = [welch(look, method.alpha) for look in looks]
    place = next((place for place, each in enumerate(intervals) if each.excludes_zero), None)
    first = 0 if place is None else looks[place].n
    wrong = place is not None and truth * intervals[place].estimate < 0
    covered = all(each.low <= truth <= each.high for each in intervals)
    at_end = bool(intervals) and intervals[-1].excludes_zero
    fixed = any(each.excludes_zero for each in one_look), bool(one_look) and one_look[-1].excludes_zero
    return first, at_end, wrong, covered, *fixed


def _looks(
    y: NDArray[np.float64], x: NDArray[np.float64], treated: NDArray[np.bool_], metric: Metric, looks: int
) -> Iterator[Difference]:
    """Yield the difference after each part of the users; a look that can say nothing is none."""
    sides: list[Joint | None] = [None, None]
    for part in np.array_split(np.arange(len(y)), looks):
        for side in (0, 1):
            chosen = part[treated[part] == bool(side)]
            summed = Joint.of(y[chosen], x[chosen])
            before = sides[side]
            sides[side] = summed if before is None else before + summed
        try:
            yield Difference.of(*moments_of(metric, [each for each in sides if each is not None]))
        except NotEnoughData:
            continue


def _chance_to_convert(history: History, lift: float) -> float:
    """Return with which chance who did not convert now does, so that the rate is lifted; below 0, who did now not."""
    rate = float(history.y.mean())
    if not 0 <= rate * (1 + lift) <= 1:
        raise ExperimentInvalid(f"a rate of {rate:.1%} cannot be lifted by {lift:+.1%}")
    if lift >= 0:
        return rate * lift / (1 - rate) if rate < 1 else 0.0
    return lift


def _lifted(
    y: NDArray[np.float64], metric: Metric, lift: float, chance: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    if metric.kind != "binary":
        return y * (1 + lift)
    draws = rng.random(len(y))
    return np.where(y == 0, draws < chance, draws >= -chance).astype(np.float64)


def _mean(history: History, metric: Metric) -> float:
    """Return what a lift is a share of."""
    whole = history.joint()
    return whole.y.mean / whole.x.mean if metric.kind == "ratio" else whole.y.mean
