"""Quantiles: bounds that hold at every look, and those for one."""

from __future__ import annotations

import numpy as np
import pytest

from mgw.core.errors import NotEnoughData
from mgw.experiments.comparison import compare_quantiles
from mgw.experiments.quantiles import fixed_probabilities, sequential_probabilities

LOOKS = (400, 800, 1_600, 3_200)


def missed(bounds, quantile, runs, seed):
    """Return in which share of samples the bounds miss the true quantile at some look."""
    rng = np.random.default_rng(seed)
    truth = -np.log(1 - quantile)
    found = 0
    for _ in range(runs):
        values = rng.exponential(1.0, LOOKS[-1])
        for n in LOOKS:
            low, high = np.quantile(values[:n], bounds(n, quantile, 0.05), method="inverted_cdf")
            if not low <= truth <= high:
                found += 1
                break
    return found / runs


@pytest.mark.parametrize("quantile", [0.5, 0.9])
def test_sequential_bounds_hold_at_every_look(quantile):
    assert missed(sequential_probabilities, quantile, 400, seed=1) <= 0.05


def test_bounds_for_one_look_do_not_hold_for_many():
    assert missed(fixed_probabilities, 0.5, 400, seed=2) > 0.08


def test_bounds_for_one_look_hold_for_one():
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(500):
        low, high = np.quantile(rng.random(500), fixed_probabilities(500, 0.7, 0.05), method="inverted_cdf")
        covered += low <= 0.7 <= high
    assert 0.92 <= covered / 500 <= 0.98


@pytest.mark.parametrize("bounds", [sequential_probabilities, fixed_probabilities])
@pytest.mark.parametrize(("n", "quantile"), [(0, 0.5), (1, 0.5), (10, 0.99)])
def test_too_few_users_have_no_bounds(bounds, n, quantile):
    with pytest.raises(NotEnoughData, match="too few"):
        bounds(n, quantile, 0.05)


def test_a_difference_is_between_the_far_ends():
    found = compare_quantiles((1.0, 2.0, 4.0), (3.0, 5.0, 6.0))
    assert (found.difference.low, found.difference.estimate, found.difference.high) == (-1.0, 3.0, 5.0)
    assert (found.lift.low, found.lift.estimate, found.lift.high) == (-0.25, 1.5, 5.0)
    assert compare_quantiles((0.0, 2.0, 4.0), (3.0, 5.0, 6.0)).lift is None
