"""CUPED and ratios: the same as on the users' own values, narrower, and covering what they should."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgw.core.errors import NotEnoughData
from mgw.experiments.fixed_horizon import welch
from mgw.experiments.joint import Joint, cuped
from mgw.experiments.statistics import Difference, Moments

pairs = st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=2, max_size=20)


def joint(rows):
    y, x = zip(*rows, strict=True)
    return Joint.of(y, x)


@given(pairs, pairs)
def test_parts_merge_and_the_covariance_is_numpys(first, second):
    both = joint(first) + joint(second)
    y, x = zip(*first, *second, strict=True)
    assert both.covariance == pytest.approx(np.cov(y, x)[0, 1], rel=1e-6, abs=1e-6)


def people(rng, n, effect):
    """Viewing before and after: alike for each person, and `effect` more after."""
    before = rng.gamma(2, 3, n)
    return 0.8 * before + rng.normal(0, 2, n) + effect, before


def test_cuped_is_the_regression_on_the_users_own_values():
    rng = np.random.default_rng(0)
    (y0, x0), (y1, x1) = people(rng, 300, 0.0), people(rng, 500, 0.5)
    found = cuped([Joint.of(y0, x0), Joint.of(y1, x1)])
    within = [(y - y.mean(), x - x.mean()) for y, x in ((y0, x0), (y1, x1))]
    theta = sum((y * x).sum() for y, x in within) / sum((x * x).sum() for _, x in within)
    mean = np.concatenate([x0, x1]).mean()
    for moments, (y, x) in zip(found, ((y0, x0), (y1, x1)), strict=True):
        expected = y - theta * (x - mean)
        assert (moments.mean, moments.variance) == pytest.approx((expected.mean(), np.var(expected, ddof=1)))
    plain = [np.var(y, ddof=1) for y in (y0, y1)]
    correlation = np.corrcoef(
        np.concatenate([y - y.mean() for y in (y0, y1)]), np.concatenate([x - x.mean() for x in (x0, x1)])
    )[0, 1]
    assert found[1].variance / plain[1] == pytest.approx(1 - correlation**2, abs=0.05)


def test_cuped_finds_an_effect_that_is_hidden_otherwise_and_invents_none():
    rng = np.random.default_rng(1)
    found = {"plain": 0, "cuped": 0, "nothing there": 0}
    for _ in range(300):
        control, treatment, same = (people(rng, 200, effect) for effect in (0.0, 0.7, 0.0))
        found["plain"] += welch(Difference.of(Moments.of(control[0]), Moments.of(treatment[0]))).excludes_zero
        found["cuped"] += welch(Difference.of(*cuped([Joint.of(*control), Joint.of(*treatment)]))).excludes_zero
        found["nothing there"] += welch(Difference.of(*cuped([Joint.of(*control), Joint.of(*same)]))).excludes_zero
    assert found["cuped"] > 1.4 * found["plain"]
    assert found["nothing there"] / 300 < 0.08


def test_what_nobody_had_before_changes_nothing():
    y = [1.0, 2.0, 4.0]
    (found,) = cuped([Joint.of(y, [0.0, 0.0, 0.0])])
    assert (found.mean, found.variance) == pytest.approx((np.mean(y), np.var(y, ddof=1)))


def test_a_ratio_is_the_ratio_of_the_sums_and_its_interval_covers_it():
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(400):
        plays = 1 + rng.poisson(rng.gamma(2, 2, 400))
        ends = rng.binomial(plays, rng.beta(8, 4, 400))  # who plays much ends as often: 2/3 of all plays
        found = Joint.of(ends, plays).ratio()
        assert found.mean == pytest.approx(ends.sum() / plays.sum())
        reach = 1.96 * np.sqrt(found.variance / found.n)
        covered += abs(found.mean - 2 / 3) <= reach
    assert 0.92 <= covered / 400 <= 0.98


def test_what_cannot_be_said_is_an_error():
    with pytest.raises(NotEnoughData, match="denominator"):
        Joint.of([1.0, 2.0], [0.0, 0.0]).ratio()
    for few in ([], [1.0]):
        with pytest.raises(NotEnoughData):
            Joint.of(few, few).ratio()
        with pytest.raises(NotEnoughData):
            cuped([Joint.of(few, few), Joint.of([1.0, 2.0], [1.0, 2.0])])
