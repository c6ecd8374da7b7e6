"""Both tiers against the formulas written out, and their laws."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace
from scipy.optimize import check_grad, minimize

from mgw.core.errors import NoEvents, ParametersInvalid
from mgw.core.settings import AlsSettings, LoraSettings
from mgw.recommend.foldin import FoldIn
from mgw.recommend.interactions import Events
from mgw.recommend.lora.recency import Recency
from mgw.recommend.lora.shared import SharedTier, n_held_out
from mgw.recommend.lora.user import fit_tier

RNG = np.random.default_rng(8)
N_USERS, N_ITEMS, D = 40, 30, 6
FACTORS = RNG.normal(0, 0.4, (N_ITEMS, D)).astype(np.float32)
FACTORS[-1] = 0  # a title that nothing is known of
SETTINGS = LoraSettings(rank=3, half_life=2.0)
FOLD_IN = FoldIn(FACTORS, AlsSettings(factors=D))


def events_of(rows):
    users, items, at, label = (np.array(column) for column in zip(*rows, strict=True))
    return Events(
        users.astype(np.int32), items.astype(np.int32), at.astype(float), label.astype(np.float32),
        np.arange(N_USERS), np.arange(N_ITEMS),
    )  # fmt: skip


@pytest.fixture(scope="module")
def recency():
    rows = [
        (user, item, 1e9 + RNG.integers(10**6), RNG.uniform(0.2, 1))
        for user in range(N_USERS) for item in RNG.choice(N_ITEMS - 1, 12, replace=False)
    ]  # fmt: skip
    return Recency.of(events_of(rows))


@pytest.fixture(scope="module")
def shared(recency):
    return SharedTier.fit(FOLD_IN, recency, SETTINGS)


def test_the_latest_liked_titles_come_first_and_those_without_a_time_not_at_all():
    found = Recency.of(events_of([
        (0, 5, 10.0, 0.5), (0, 6, 30.0, 1.0), (0, 7, np.nan, 1.0), (0, 8, 20.0, -1.0), (0, 9, 5.0, 0.0),
        (2, 5, 7.0, 0.9), (2, 5, 9.0, 0.4), (2, 1, 8.0, 0.3), (2, 3, 6.0, 1.0), (2, 3, 8.5, -1.0),
    ]))  # fmt: skip
    assert found.counts[:4].tolist() == [2, 0, 2, 0]
    assert [part.tolist() for part in found.of_user(0)] == [[6, 5], [1.0, 0.5]]
    assert found.of_user(2)[0].tolist() == [5, 1]
    assert found.of_user(2)[1] == pytest.approx([0.9, 0.3])
    fewer = found.without_latest(np.array([2]), np.array([1]))
    assert [fewer.of_user(user)[0].tolist() for user in (0, 2)] == [[6, 5], [1]]


def test_the_directions_are_orthonormal_and_those_of_the_residuals(recency, shared):
    assert shared.directions @ shared.directions.T == pytest.approx(np.eye(3), abs=1e-5)
    residuals = []
    for user in range(N_USERS):
        items, strength = recency.of_user(user)
        held_out = n_held_out(len(items))
        x = FOLD_IN.user_factors(items[held_out:].astype(np.int64), strength[held_out:])
        scores = FACTORS.astype(float) @ x
        scores[items[held_out:]] = scores.min()
        chance = np.exp(1.5 * scores / scores.std())
        chance[items[held_out:]] = 0
        expected = chance @ FACTORS / chance.sum()
        residuals.append(np.sqrt(held_out) * (FACTORS[items[:held_out]].mean(axis=0) - expected))
    _, _, directions = np.linalg.svd(np.array(residuals))
    assert np.abs(np.sum(directions[:3] * shared.directions, axis=1)) == pytest.approx(np.ones(3), abs=1e-3)


def test_one_seed_gives_one_tier_on_any_number_of_threads(recency, shared):
    again = SharedTier.fit(FOLD_IN, recency, SETTINGS)
    np.testing.assert_array_equal(again.directions, shared.directions)
    users = np.arange(N_USERS)
    one, two = (fit_tier(shared, recency, users, SETTINGS, threads=threads) for threads in (1, 2))
    np.testing.assert_array_equal(one, two)


def objective(b, shared, items, strength):
    weight = strength * 0.5 ** (np.arange(len(items)) / SETTINGS.half_life)
    says = shared.projected.astype(float) @ b
    ridge = SETTINGS.regularization * 0.2 * N_ITEMS
    return weight @ (1 - says[items]) ** 2 + 0.2 * says @ says + ridge * b @ b


def gradient(b, shared, items, strength):
    p = shared.projected.astype(float)
    weight = strength * 0.5 ** (np.arange(len(items)) / SETTINGS.half_life)
    ridge = SETTINGS.regularization * 0.2 * N_ITEMS
    return -2 * p[items].T @ (weight * (1 - p[items] @ b)) + 2 * 0.2 * p.T @ (p @ b) + 2 * ridge * b


def test_b_is_where_the_objective_is_least_scaled_to_a_spread_of_one(recency, shared):
    weights = fit_tier(shared, recency, np.arange(N_USERS), SETTINGS)
    for user in range(5):
        titles = recency.of_user(user)
        assert check_grad(objective, gradient, RNG.normal(size=3), shared, *titles) < 1e-5
        least = minimize(objective, np.zeros(3), args=(shared, *titles), jac=gradient, tol=1e-12).x
        assert weights[user] / np.linalg.norm(weights[user]) == pytest.approx(least / np.linalg.norm(least), abs=1e-4)
        says = SETTINGS.alpha / SETTINGS.rank * shared.projected @ weights[user]
        assert says[FACTORS.any(axis=1)].std() == pytest.approx(1, abs=1e-4)


def test_what_is_skipped_is_not_looked_at(recency, shared):
    users = np.array([3, 4])
    skipped = np.array([2, 5])
    fewer = recency.without_latest(users, skipped)
    expected = fit_tier(shared, fewer, users, SETTINGS)
    np.testing.assert_array_equal(fit_tier(shared, recency, users, SETTINGS, skipped=skipped), expected)
    assert not fit_tier(shared, recency, users, SETTINGS, skipped=np.array([12, 12])).any()


def test_what_cannot_be_is_refused(recency, shared):
    with pytest.raises(ParametersInvalid, match="larger than the vectors of the model's titles, of 6 numbers"):
        SharedTier.fit(FOLD_IN, recency, replace(SETTINGS, rank=7))
    with pytest.raises(NoEvents, match="0 users have 13"):
        SharedTier.fit(FOLD_IN, recency, replace(SETTINGS, minimum_events=13))
    with pytest.raises(ParametersInvalid, match="does not fit"):
        SharedTier.of(np.ones((3, 5), dtype=np.float32), FOLD_IN)
    with pytest.raises(ParametersInvalid, match="does not have"):
        fit_tier(SharedTier.of(shared.directions, FoldIn(FACTORS[:9], AlsSettings())), recency, np.arange(3), SETTINGS)
