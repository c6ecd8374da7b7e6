"""Statistics: merging, agreement with scipy, and what happens to those who look every day."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mgw.core.errors import NotEnoughData
from mgw.experiments.fixed_horizon import welch, welch_p_value
from mgw.experiments.sequential import always_valid_p_value, confidence_sequence
from mgw.experiments.statistics import Difference, Moments

values = st.lists(st.floats(-1e3, 1e3), max_size=30)


@given(values, values)
def test_moments_of_parts_are_those_of_the_whole(first, second):
    both, whole = Moments.of(first) + Moments.of(second), Moments.of(first + second)
    assert (both.n, both.total, both.deviations) == (
        whole.n, pytest.approx(whole.total, abs=1e-6), pytest.approx(whole.deviations, abs=1e-6),
    )  # fmt: skip


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30))
def test_mean_and_variance_are_numpys(found):
    moments = Moments.of(found)
    assert moments.mean == pytest.approx(np.mean(found), abs=1e-9)
    assert moments.variance == pytest.approx(np.var(found, ddof=1), rel=1e-6, abs=1e-6)


def test_values_of_a_billion_keep_their_variance():
    found = 1e9 + np.arange(100.0)
    parts = Moments.of(found[:30]) + Moments.of(found[30:])
    assert parts.variance == Moments.of(found).variance == pytest.approx(np.var(found, ddof=1))


def test_a_fixed_horizon_is_scipys_welch():
    rng = np.random.default_rng(0)
    control, treatment = rng.normal(3, 2, 400), rng.exponential(3.3, 250)
    difference = Difference.of(Moments.of(control), Moments.of(treatment))
    found = welch(difference, 0.1)
    test = stats.ttest_ind(treatment, control, equal_var=False)
    expected = test.confidence_interval(0.9)
    assert welch_p_value(difference) == pytest.approx(test.pvalue, rel=1e-9)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-9)
    assert found.estimate == pytest.approx(treatment.mean() - control.mean())


def test_a_sequence_is_wider_than_one_look_and_narrowest_about_where_it_is_tuned():
    rng = np.random.default_rng(1)
    control, treatment = Moments.of(rng.normal(0, 1, 5_000)), Moments.of(rng.normal(0, 1, 5_000))
    difference = Difference.of(control, treatment)
    one = welch(difference)
    widths = {}
    for tuned in (100, 3_000, 10_000, 30_000, 1_000_000):
        found = confidence_sequence(difference, tuned_for=tuned)
        widths[tuned] = found.high - found.low
        assert found.low < one.low < one.high < found.high
    assert min(widths, key=widths.get) == 10_000
    assert widths[10_000] / (one.high - one.low) < 1.6


@given(st.floats(-0.3, 0.3), st.integers(50, 3_000), st.floats(0.01, 0.2))
def test_the_p_value_is_below_alpha_where_the_sequence_excludes_zero(effect, n, alpha):
    control, treatment = Moments(n, 0.0, n - 1.0), Moments(n, n * effect, 2.0 * (n - 1))
    difference = Difference.of(control, treatment)
    found = always_valid_p_value(difference, alpha)
    assert 0 <= found <= 1
    if abs(found - alpha) > 1e-9:
        assert (found < alpha) == confidence_sequence(difference, alpha).excludes_zero


def looks(rng, effect, *, days=30, users=200):
    """Yield the moments of both variants after each day, of a conversion rate of 20 %."""
    control, treatment = Moments(0, 0.0, 0.0), Moments(0, 0.0, 0.0)
    for _ in range(days):
        control += Moments.of(rng.random(users) < 0.2)
        treatment += Moments.of(rng.random(users) < 0.2 + effect)
        yield control, treatment


def ever(interval, effect, runs, seed):
    """Return in which share of experiments somebody who looks daily finds a difference."""
    rng = np.random.default_rng(seed)
    found = [any(interval(Difference.of(*look)).excludes_zero for look in looks(rng, effect)) for _ in range(runs)]
    return np.mean(found)


def test_who_looks_daily_is_deceived_by_one_look_intervals_and_not_by_sequences():
    assert ever(welch, 0.0, 300, seed=2) > 0.15
    assert ever(confidence_sequence, 0.0, 300, seed=2) <= 0.05
    assert ever(confidence_sequence, 0.04, 100, seed=3) > 0.8


@pytest.mark.nightly
def test_false_positives_under_continuous_peeking_at_size():
    assert ever(confidence_sequence, 0.0, 2_000, seed=4) <= 0.05


@pytest.mark.parametrize(("control", "treatment"), [([], [1.0, 2.0]), ([1.0], [1.0, 2.0]), ([1.0, 1.0], [1.0, 1.0])])
def test_what_cannot_be_said_is_an_error_and_never_a_number(control, treatment):
    for of in (Difference.of, Difference.relative):
        with pytest.raises(NotEnoughData):
            of(Moments.of(control), Moments.of(treatment))


def test_a_lift_takes_a_control_above_zero_and_sums_that_are_numbers():
    with pytest.raises(NotEnoughData, match="above 0"):
        Difference.relative(Moments.of([-1.0, 1.0]), Moments.of([1.0, 2.0]))
    with pytest.raises(NotEnoughData, match="too large"):
        Difference.of(Moments.of([0.0, 1e300]), Moments.of([0.0, 1e200]))


def test_a_lift_covers_the_true_one():
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(400):
        control, treatment = Moments.of(rng.exponential(2.0, 300)), Moments.of(rng.exponential(2.4, 600))
        found = welch(Difference.relative(control, treatment))
        covered += found.low <= 0.2 <= found.high
    assert 0.92 <= covered / 400 <= 0.98


def test_groups_whose_shares_changed_are_compared_group_by_group():
    """More of the later, better users get the treatment: together they look as if it did something."""
    rng = np.random.default_rng(6)
    early, late = (rng.normal(1, 1, n) for n in (9_000, 1_000)), (rng.normal(3, 1, n) for n in (1_000, 9_000))
    strata = [tuple(map(Moments.of, group)) for group in (early, late)]
    together = welch(Difference.of(strata[0][0] + strata[1][0], strata[0][1] + strata[1][1]))
    assert together.low > 1
    apart = Difference.stratified([Difference.of(*pair) for pair in strata])
    assert not welch(apart).excludes_zero
    assert apart.n == 20_000
    assert Difference.stratified([Difference.of(*strata[0])]) == Difference.of(*strata[0])


def test_the_sequence_is_the_formula_of_the_paper():
    """At n users of variance 1 in each of two equal variants, by the standard form for one mean with t = n."""
    same = Moments(5_000, 0.0, 4_999.0)
    alpha, t = 0.05, 10_000
    rho = math.sqrt((-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / t)
    per_user = 4.0  # the variance of the difference, 2 / 5,000, times t
    expected = math.sqrt(per_user) * math.sqrt(
        2 * (t * rho**2 + 1) / (t**2 * rho**2) * math.log(math.sqrt(t * rho**2 + 1) / alpha)
    )
    found = confidence_sequence(Difference.of(same, same), alpha, tuned_for=t)
    assert found.high == pytest.approx(expected, rel=1e-12)
