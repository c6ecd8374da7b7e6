"""Fold-in against the direct solve of the same equations, and explanations against the scores they explain."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgw.core.settings import AlsSettings
from mgw.recommend.foldin import FoldIn

N_ITEMS, D = 40, 6
ITEM_FACTORS = np.random.default_rng(0).standard_normal((N_ITEMS, D)).astype(np.float32)
SETTINGS = AlsSettings(factors=D, strength_scale=1.5, regularization=0.02, activity_reference=30.0)
histories = st.dictionaries(st.integers(0, N_ITEMS - 1), st.floats(0.125, 1, width=32), min_size=1, max_size=20)


def as_arrays(history):
    return np.array(list(history), dtype=np.int64), np.array(list(history.values()), dtype=np.float32)


def direct(items, strength, settings=SETTINGS):
    y, weights = ITEM_FACTORS.astype(float), strength.astype(float)
    weights *= settings.strength_scale * (len(items) / 30) ** -settings.activity_exponent
    seen = len(items) + settings.unobserved_weight * N_ITEMS
    penalty = settings.regularization * seen**settings.regularization_exponent
    system = settings.unobserved_weight * y.T @ y + penalty * np.eye(D)
    side = np.zeros(D)
    for item, weight in zip(items, weights, strict=True):
        system += weight * np.outer(y[item], y[item])
        side += weight * y[item]
    return np.linalg.solve(system, side)


@given(histories)
def test_a_user_is_solved_exactly(history):
    items, strength = as_arrays(history)
    np.testing.assert_allclose(
        FoldIn(ITEM_FACTORS, SETTINGS).user_factors(items, strength), direct(items, strength), atol=1e-5
    )


@given(histories)
def test_contributions_sum_up_to_the_score(history):
    items, strength = as_arrays(history)
    fold_in = FoldIn(ITEM_FACTORS, SETTINGS)
    targets = np.arange(N_ITEMS)
    parts = fold_in.contributions(items, strength, targets)
    assert parts.shape == (N_ITEMS, len(items))
    np.testing.assert_allclose(parts.sum(axis=1), ITEM_FACTORS @ direct(items, strength), atol=1e-5)


def test_a_contribution_is_what_the_event_adds_to_the_right_side():
    items, strength = np.array([1, 2, 3]), np.array([0.5, 0.7, 1.0], dtype=np.float32)
    fold_in = FoldIn(ITEM_FACTORS, SETTINGS)
    _, factor = fold_in._solve(items, strength)
    system = np.triu(factor).T @ np.triu(factor)
    weight = 1.5 * 0.7 * (3 / 30) ** -SETTINGS.activity_exponent
    alone = np.linalg.solve(system, weight * ITEM_FACTORS[2].astype(float))
    parts = fold_in.contributions(items, strength, np.array([9]))
    assert parts[0, 1] == pytest.approx(ITEM_FACTORS[9] @ alone, abs=1e-6)


def test_a_user_without_history_has_no_factors():
    assert not np.any(
        FoldIn(ITEM_FACTORS, SETTINGS).user_factors(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))
    )


def test_without_regularization_the_solution_is_finite():
    settings = AlsSettings(factors=D, regularization=0.0)
    zeros = np.zeros((N_ITEMS, D), dtype=np.float32)
    assert np.all(np.isfinite(FoldIn(zeros, settings).user_factors(np.array([0]), np.ones(1, dtype=np.float32))))
