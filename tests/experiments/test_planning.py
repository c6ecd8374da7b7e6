"""Planning: a known value, one is the inverse of the other, and the power that was promised."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgw.core.errors import ExperimentInvalid
from mgw.experiments.fixed_horizon import welch
from mgw.experiments.planning import minimum_detectable_effect, users_per_variant
from mgw.experiments.statistics import Difference, Moments


def test_half_a_standard_deviation_takes_the_sixty_three_users_of_the_text_books():
    assert users_per_variant(0.5, 1.0, 1.0) == 63


@given(st.floats(0.01, 5), st.floats(0.1, 10), st.floats(0.1, 10), st.floats(0.01, 0.2), st.floats(0.5, 0.99))
def test_the_effect_of_that_many_users_is_the_effect(effect, control, treatment, alpha, power):
    n = users_per_variant(effect, control, treatment, alpha=alpha, power=power)
    assert minimum_detectable_effect(n, control, treatment, alpha=alpha, power=power) <= effect + 1e-12 or n == 2
    if n > 3:
        assert minimum_detectable_effect(n - 1, control, treatment, alpha=alpha, power=power) > effect - 1e-12


def test_a_rate_is_found_as_often_as_was_promised():
    rates = 0.2, 0.23
    n = users_per_variant(rates[1] - rates[0], *(rate * (1 - rate) for rate in rates))
    rng = np.random.default_rng(0)
    found = [
        welch(Difference.of(*(Moments.of(rng.random(n) < rate) for rate in rates))).excludes_zero for _ in range(600)
    ]
    assert np.mean(found) == pytest.approx(0.8, abs=0.05)


def test_what_cannot_be_planned_is_refused():
    for wrong in ((0.0, 1, 1), (float("inf"), 1, 1), (1, -1, 1), (1, 1, float("nan"))):
        with pytest.raises(ExperimentInvalid):
            users_per_variant(*wrong)
    for chance in (0.0, 1.0, -1.0):
        with pytest.raises(ExperimentInvalid):
            users_per_variant(1, 1, 1, alpha=chance)
        with pytest.raises(ExperimentInvalid):
            minimum_detectable_effect(10, 1, 1, power=chance)
    with pytest.raises(ExperimentInvalid):
        minimum_detectable_effect(1, 1, 1)
