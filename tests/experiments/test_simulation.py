"""Simulations and plans: they say of the settings what experiments then do."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from mgw.core.errors import ExperimentInvalid
from mgw.experiments.comparison import Method
from mgw.experiments.definition import Metric
from mgw.experiments.duration import Baseline, detectable_lift, users_for
from mgw.experiments.history import History
from mgw.experiments.simulation import Plan, simulate

RNG = np.random.default_rng(0)
TASTE = RNG.gamma(2, 2, 4_000)
HISTORY = History(RNG.poisson(TASTE).astype(float), RNG.poisson(TASTE).astype(float), days=20.0)
SEQUENTIAL, FIXED = Method(tuned_for=4_000), Method("fixed")
COUNT = msgspec.convert({"name": "plays", "kind": "count"}, Metric)


def test_a_sequence_finds_nothing_where_nothing_is_and_single_looks_do():
    found = simulate(HISTORY, COUNT, SEQUENTIAL, Plan(runs=200, looks=20))
    assert found.found <= 0.05
    assert found.fixed_found > 0.12
    assert found.fixed_found_at_end <= 0.1
    assert found.covered >= 0.95


@pytest.mark.nightly
def test_a_sequence_finds_nothing_where_nothing_is_at_size():
    found = simulate(HISTORY, COUNT, SEQUENTIAL, Plan(runs=2_000, looks=30, seed=1))
    assert found.found <= 0.05
    assert found.covered >= 0.95


@pytest.mark.parametrize(
    ("metric", "lift"),
    [
        ({"kind": "count"}, 0.1), ({"kind": "mean"}, -0.1), ({"kind": "ratio", "per": "visit"}, 0.1),
        ({"kind": "count", "before_days": 7}, 0.1),
    ],
)  # fmt: skip
def test_an_effect_is_found_the_right_way_and_covered(metric, lift):
    metric = msgspec.convert({"name": "plays", **metric}, Metric)
    found = simulate(HISTORY, metric, SEQUENTIAL, Plan(runs=60, looks=10, lift=lift, users=20_000))
    assert found.found > 0.9
    assert found.wrong_way == 0
    assert found.covered >= 0.9
    assert found.median_users < 20_000


@pytest.mark.parametrize("lift", [0.2, -0.2])
def test_a_rate_is_lifted_by_turning_some(lift):
    rate = History((np.arange(4_000) % 5 == 0).astype(float), np.zeros(4_000), days=10.0)
    metric = msgspec.convert({"name": "bought", "kind": "binary"}, Metric)
    found = simulate(rate, metric, SEQUENTIAL, Plan(runs=60, looks=10, lift=lift, users=20_000))
    assert found.found > 0.9
    assert found.covered >= 0.9
    with pytest.raises(ExperimentInvalid, match="cannot be lifted"):
        simulate(rate, metric, SEQUENTIAL, Plan(runs=1, looks=5, lift=5.0))


def test_a_belief_about_lifts_is_of_lifts_whatever_the_unit_of_the_metric():
    """Everything a thousand times as large is the same experiment."""
    large = History(1_000 * HISTORY.y, HISTORY.x, days=20.0)
    belief, plan = Method("bayesian", prior_sd=0.02), Plan(runs=40, looks=5, lift=0.1)
    assert simulate(HISTORY, COUNT, belief, plan) == simulate(large, COUNT, belief, plan)


def test_what_was_before_makes_it_sooner():
    plain, cuped = (
        simulate(HISTORY, msgspec.structs.replace(COUNT, before_days=before), SEQUENTIAL,
                 Plan(runs=60, looks=20, lift=0.08, users=20_000))
        for before in (None, 7.0)
    )  # fmt: skip
    assert cuped.median_users < 0.8 * plain.median_users


@pytest.mark.parametrize("method", [SEQUENTIAL, FIXED])
def test_a_plan_holds_what_it_promises(method):
    moments = HISTORY.joint().y
    baseline = Baseline.of(moments, HISTORY.users_per_day)
    n = users_for(baseline, 0.1, method, 0.8)
    assert detectable_lift(baseline, n, method, 0.8) == pytest.approx(0.1, rel=0.01)
    found = simulate(HISTORY, COUNT, method, Plan(runs=300, looks=1, lift=0.1, users=2 * n))
    assert found.found_at_end == pytest.approx(0.8, abs=0.08)  # the lift adds to the spread as well


def test_a_sequence_takes_more_users_than_one_look_for_the_same_power_at_the_end():
    baseline = Baseline(0.2, 0.16, 1_000.0)
    assert 1.2 < users_for(baseline, 0.1, SEQUENTIAL, 0.8) / users_for(baseline, 0.1, FIXED, 0.8) < 2.5


def test_what_cannot_be_planned_is_refused():
    baseline = Baseline(0.2, 0.16, 1_000.0)
    for method in (SEQUENTIAL, FIXED):
        for lift in (0.0, float("inf")):
            with pytest.raises(ExperimentInvalid):
                users_for(baseline, lift, method, 0.8)
        with pytest.raises(ExperimentInvalid):
            users_for(replace(baseline, mean=0.0), 0.1, method, 0.8)
        with pytest.raises(ExperimentInvalid):
            detectable_lift(baseline, 1, method, 0.8)
    with pytest.raises(ExperimentInvalid, match="no number"):
        users_for(baseline, 1e-9, SEQUENTIAL, 0.8)
    with pytest.raises(ExperimentInvalid, match="too few"):
        simulate(HISTORY, COUNT, FIXED, Plan(looks=5_000))
