"""Factors from features: the ridge regression that it says, and titles that nobody watched in their place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array, random_array

from mgw.core.errors import ParametersInvalid
from mgw.core.settings import AlsSettings
from mgw.recommend.als import ALS
from mgw.recommend.als.features import FeatureMap
from mgw.recommend.als.side import regularization_weights
from mgw.recommend.title_features import feature_matrix


def features_of(n, p, seed):
    return csr_array(random_array((n, p), density=0.3, rng=np.random.default_rng(seed)))


@given(st.integers(1, 40), st.integers(1, 30), st.floats(1e-2, 1e3), st.integers(0, 2**16))
def test_the_map_is_the_ridge_regression_of_the_rows_that_are_known(n, p, regularization, seed):
    rng = np.random.default_rng(seed)
    features, counts = features_of(n, p, seed), rng.uniform(0.5, 50, n)
    factors = rng.standard_normal((n, 4)).astype(np.float32)
    factors[rng.random(n) < 0.3] = 0
    found = FeatureMap.fit(features, factors, counts, regularization).weights
    known = factors.any(axis=1)
    dense, weight = features.toarray()[known], counts[known]
    penalty = regularization * (weight.mean() if known.any() else 1.0)
    exact = np.linalg.solve((dense.T * weight) @ dense + penalty * np.eye(p), (dense.T * weight) @ factors[known])
    np.testing.assert_allclose(found, exact, rtol=1e-3, atol=1e-4)


def watched_by_group(n_users=200, n_items=60):
    """Users of two groups watch titles of theirs; the last two titles, one of each group, nobody has watched."""
    rng = np.random.default_rng(0)
    group = np.arange(n_items) % 2
    likes = rng.random((n_users, n_items)) < np.where((np.arange(n_users) % 2)[:, None] == group, 0.4, 0.02)
    likes[:, -2:] = False
    return csr_array(likes.astype(np.float32)), csr_array(np.eye(2, dtype=np.float32)[group])


def test_a_title_that_nobody_watched_goes_to_those_who_like_its_features():
    matrix, features = watched_by_group()
    model = ALS.fit(matrix, AlsSettings(factors=4, epochs=6)).with_cold_items(features, matrix)
    columns, _ = model.recommend(np.arange(200), 2, items=np.array([58, 59]))
    assert np.mean(columns[:, 0] == 58 + np.arange(200) % 2) > 0.95
    before = ALS.fit(matrix, AlsSettings(factors=4, epochs=6))
    np.testing.assert_array_equal(model.item_factors[:-2], before.item_factors[:-2])
    assert not before.item_factors[-2:].any()
    assert np.all(before.recommend(np.arange(200), 2, items=np.array([58, 59]))[0] == -1)


def test_the_map_places_titles_and_users_that_the_matrix_does_not_have():
    matrix, features = watched_by_group()
    settings = AlsSettings(factors=4, epochs=6)
    model = ALS.fit(matrix, settings)
    new = csr_array(np.array([[0, 1], [1, 0]], dtype=np.float32))
    scores = model.user_factors @ model.map_items(features, matrix).factors(new).T
    assert np.mean(np.argmax(scores, axis=1) == 1 - np.arange(200) % 2) > 0.95
    groups = csr_array(np.eye(2, dtype=np.float32)[np.arange(200) % 2])
    users = model.map_users(groups, matrix).factors(csr_array(np.eye(2, dtype=np.float32)))
    best, _ = model.recommend(users, 10)
    assert np.mean(best % 2 == np.array([[0], [1]])) > 0.9
    weights = regularization_weights(csr_array(matrix.T), settings)
    expected = FeatureMap.fit(features, model.item_factors, weights, settings.feature_regularization)
    np.testing.assert_array_equal(model.map_items(features, matrix).weights, expected.weights)


def test_what_does_not_fit_is_refused():
    matrix, features = watched_by_group()
    model = ALS.fit(matrix, AlsSettings(factors=2, epochs=1))
    fitted = model.map_items(features, matrix)
    nan = csr_array(np.array([[np.nan, 1.0]], dtype=np.float32))
    for ask, reason in (
        (lambda: model.map_items(features[:5], matrix), "shape"),
        (lambda: model.map_items(features, matrix[:, :5]), "rows of factors"),
        (lambda: fitted.factors(csr_array(np.ones((1, 3)))), "shape"),
        (lambda: fitted.factors(nan), "finite"),
        (lambda: FeatureMap.fit(features, model.item_factors, np.ones(60), 0.0), "φ"),
    ):
        with pytest.raises(ParametersInvalid, match=reason):
            ask()


def test_words_of_one_title_alone_are_left_out():
    found = feature_matrix([["genre drama", "year 1999"], ["genre drama", "actor x"], [], ["actor x"]])
    assert found.toarray().tolist() == [[0, 1], [1, 1], [0, 0], [1, 0]]
    assert feature_matrix([]).shape == (0, 0)
