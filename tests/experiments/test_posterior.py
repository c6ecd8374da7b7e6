"""What is believed after the data: by simulation of the belief, and calibrated where the prior is true."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mgw.core.errors import ExperimentInvalid
from mgw.experiments.posterior import Posterior
from mgw.experiments.statistics import Difference

DIFFERENCE = Difference(0.3, 0.04, 500.0, 600)


def test_chance_and_loss_are_those_of_draws_from_the_belief():
    rng = np.random.default_rng(0)
    found = Posterior.of(DIFFERENCE, prior_mean=-0.1, prior_sd=0.3)
    drawn = rng.normal(found.mean, found.sd, 2_000_000)
    assert found.chance_to_win == pytest.approx((drawn > 0).mean(), abs=2e-3)
    assert found.expected_loss == pytest.approx(np.maximum(-drawn, 0).mean(), abs=1e-3)
    assert found.expected_loss_of_control == pytest.approx(np.maximum(drawn, 0).mean(), abs=1e-3)
    assert (found.interval().low, found.interval().high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=3e-3)


def test_a_flat_prior_leaves_the_estimate_and_a_narrow_one_the_belief():
    assert Posterior.of(DIFFERENCE) == Posterior(0.3, pytest.approx(0.2))
    assert Posterior.of(DIFFERENCE, prior_sd=1e-6).mean == pytest.approx(0, abs=1e-6)
    with pytest.raises(ExperimentInvalid):
        Posterior.of(DIFFERENCE, prior_sd=0.0)


def test_where_the_prior_is_true_the_chance_to_win_is_how_often_it_wins():
    rng = np.random.default_rng(1)
    truth = rng.normal(0, 0.2, 40_000)
    estimates = truth + rng.normal(0, 0.2, len(truth))
    beliefs = [Posterior.of(Difference(each, 0.04, 500.0, 600), prior_sd=0.2) for each in estimates.tolist()]
    chances = np.array([belief.chance_to_win for belief in beliefs])
    for low in np.arange(0.05, 0.95, 0.1):
        among = (chances >= low) & (chances < low + 0.1)
        assert (truth[among] > 0).mean() == pytest.approx(chances[among].mean(), abs=0.04)
    loss = np.mean([belief.expected_loss for belief in beliefs])
    assert math.isclose(loss, np.maximum(-truth, 0).mean(), rel_tol=0.05)
