"""Sample-ratio mismatch: seldom cried, soon found."""

from __future__ import annotations

import numpy as np
import pytest

from mgw.core.errors import ExperimentInvalid
from mgw.experiments.mismatch import mismatch_p_value


def ever(shares, weights, runs, *, looks=40, users=500, seed=0):
    """Return in which share of experiments somebody who looks after each 500 users finds a mismatch."""
    rng = np.random.default_rng(seed)
    found = 0
    for _ in range(runs):
        counts = np.cumsum(rng.multinomial(users, shares, size=looks), axis=0)
        found += any(mismatch_p_value([(row.tolist(), weights)]) < 0.05 for row in counts)
    return found / runs


def test_what_is_in_order_is_seldom_doubted_and_a_loss_of_one_in_ten_is_found():
    assert ever([0.5, 0.5], [0.5, 0.5], 300) <= 0.05
    assert ever([0.2, 0.3, 0.5], [0.2, 0.3, 0.5], 200) <= 0.05
    assert ever([0.45, 0.55], [0.5, 0.5], 100) > 0.95


def test_the_factor_is_that_of_the_two_hypotheses():
    """Two users of a fair coin: under the prior the same side twice has (a/2 + 1)/(a + 1) · 1/2."""
    a = 10_000
    assert mismatch_p_value([([2, 0], [0.5, 0.5])]) == pytest.approx(0.5 / ((a / 2 + 1) / (a + 1)), rel=1e-6)
    assert mismatch_p_value([([0, 0], [0.5, 0.5])]) == 1
    assert mismatch_p_value([([1, 1], [0.5, 0.5])]) == 1
    assert mismatch_p_value([([5, 5, 0], [0.5, 0.5, 0.0])]) == 1
    assert 0 <= mismatch_p_value([([10**9, 2 * 10**9], [0.5, 0.5])]) < 1e-300


def test_phases_of_other_weights_are_judged_each_by_its_own():
    """Nine in ten were sent to one side, then one in ten: together that looks like halves, and is as it should be."""
    fair = [([9_000, 1_000], [0.9, 0.1]), ([1_000, 9_000], [0.1, 0.9])]
    assert mismatch_p_value(fair) > 0.5
    assert mismatch_p_value([([9_000, 1_000], [0.5, 0.5]), ([1_000, 9_000], [0.5, 0.5])]) < 1e-9


@pytest.mark.parametrize(("counts", "weights"), [([1], [0.5, 0.5]), ([-1, 2], [0.5, 0.5]), ([1, 2], [1.0, 0.0])])
def test_counts_that_cannot_be_are_refused(counts, weights):
    with pytest.raises(ExperimentInvalid):
        mismatch_p_value([(counts, weights)])
