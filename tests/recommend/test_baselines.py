"""Baselines against dense loops over the same formulas."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import csr_array

from mgw.core.errors import MemoryShort, NoEvents, ParametersInvalid
from mgw.recommend.baselines import EASE, ItemKNN, Popularity, RP3Beta, ease, neighbours

some_strengths = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 7), st.integers(1, 7)),
    elements=st.sampled_from([0.0, 0.0, 0.25, 0.65, 1.0]).map(np.float32),
)
laws = settings(deadline=None)  # no timing asserts: the first example pays for imports
a_shrinkage = st.sampled_from([0.0, 0.5, 10.0])


def slow_similarity(dense, shrinkage):
    """Shrunk cosine of every two different columns, by the formula."""
    n_items = dense.shape[1]
    columns = [[float(value) for value in dense[:, item]] for item in range(n_items)]
    similarity = np.zeros((n_items, n_items))
    for i in range(n_items):
        for j in range(n_items):
            overlap = sum(a * b for a, b in zip(columns[i], columns[j], strict=True))
            if i != j and overlap > 0:
                norms = math.sqrt(sum(a * a for a in columns[i])) * math.sqrt(sum(b * b for b in columns[j]))
                similarity[i, j] = overlap / (norms + shrinkage)
    return similarity


@laws
@given(some_strengths)
def test_popularity_counts_the_users_who_like_a_title(dense):
    scores = Popularity.fit(csr_array(dense)).scores(np.arange(len(dense)))
    expected = [sum(value > 0 for value in column) for column in dense.T.tolist()]
    assert scores.tolist() == [expected] * len(dense)
    assert scores.dtype == np.float32


def test_popularity_does_not_count_a_stored_zero():
    matrix = csr_array((np.array([0.0, 0.5], dtype=np.float32), ([0, 1], [1, 0])), shape=(2, 2))
    assert Popularity.fit(matrix).likes.tolist() == [1, 0]


@laws
@given(some_strengths, a_shrinkage)
def test_item_knn_with_all_neighbours_is_the_dense_formula(dense, shrinkage):
    model = ItemKNN.fit(csr_array(dense), neighbours=50, shrinkage=shrinkage)
    users = np.arange(len(dense))[::-1]
    expected = (dense @ slow_similarity(dense, shrinkage))[users]
    scores = model.scores(users)
    assert scores == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert scores.dtype == np.float32


@laws
@given(some_strengths, a_shrinkage, st.integers(1, 4))
def test_each_title_keeps_its_most_similar_neighbours(dense, shrinkage, neighbours):
    kept = ItemKNN.fit(csr_array(dense), neighbours=neighbours, shrinkage=shrinkage).similarity.toarray()
    full = slow_similarity(dense, shrinkage)
    assert kept[kept > 0] == pytest.approx(full[kept > 0], rel=1e-5)
    for title in range(dense.shape[1]):
        near, far = full[kept[:, title] > 0, title], full[kept[:, title] == 0, title]
        assert len(near) == min(neighbours, np.count_nonzero(full[:, title]))
        # Titles as similar as the last one kept may be left out; a more similar one may not.
        assert not len(near) or near.min() >= far.max(initial=0) * (1 - 1e-6)


def test_of_equally_similar_titles_the_lower_columns_stay():
    similarity = ItemKNN.fit(csr_array(np.ones((3, 5), dtype=np.float32)), neighbours=2).similarity.toarray()
    assert [np.flatnonzero(column).tolist() for column in similarity.T] == [[1, 2], [0, 2], [0, 1], [0, 1], [0, 1]]


def test_blocks_of_titles_make_no_difference(monkeypatch):
    dense = np.random.default_rng(0).random((30, 17), dtype=np.float32)
    dense[dense < 0.7] = 0
    whole = ItemKNN.fit(csr_array(dense), neighbours=4)
    monkeypatch.setattr(neighbours, "BLOCK_CELLS", 3 * 17)
    assert ItemKNN.fit(csr_array(dense), neighbours=4).similarity.toarray().tolist() == (
        whole.similarity.toarray().tolist()
    )


@pytest.mark.parametrize("model", [Popularity, ItemKNN])
@pytest.mark.parametrize("shape", [(3, 4), (1, 1), (0, 2)])
def test_without_any_likes_every_score_is_zero(model, shape):
    matrix = csr_array(shape, dtype=np.float32)
    assert model.fit(matrix).scores(np.arange(shape[0])).tolist() == np.zeros(shape).tolist()


@laws
@given(some_strengths, st.sampled_from([0.5, 3.0, 400.0]))
def test_ease_is_each_titles_ridge_regression_on_all_the_others(dense, regularization):
    matrix = csr_array(dense)
    if not matrix.nnz:
        with pytest.raises(NoEvents):
            EASE.fit(matrix, regularization=regularization)
        return
    x, n_items = dense.astype(np.float64), dense.shape[1]
    expected = np.zeros((n_items, n_items))
    for j in range(n_items):
        others = [i for i in range(n_items) if i != j]
        a = x[:, others]
        expected[others, j] = np.linalg.solve(a.T @ a + regularization * np.eye(len(others)), a.T @ x[:, j])
    model = EASE.fit(matrix, regularization=regularization)
    assert model.weights == pytest.approx(expected, abs=1e-5)
    assert model.scores(np.arange(len(dense))) == pytest.approx(x @ expected, abs=1e-5)


@pytest.mark.parametrize(("dropout", "exponent"), [(0.0, 0.5), (0.3, 0.0), (0.2, 0.25)])
def test_refined_ease_is_a_ridge_regression_with_forgotten_titles_and_weighted_users(dropout, exponent):
    dense = (np.random.default_rng(4).random((40, 7)) < 0.4).astype(np.float64)
    counts = (dense > 0).sum(axis=1)
    weights = (np.maximum(counts, 1) / np.mean(counts[counts > 0])) ** -exponent
    model = EASE.fit(csr_array(dense), regularization=3.0, dropout=dropout, activity_exponent=exponent)
    for column in range(7):
        others = np.arange(7) != column
        gram = (dense[:, others].T * weights) @ dense[:, others]
        penalty = np.diag(3.0 + dropout / (1 - dropout) * np.diag(gram))
        exact = np.linalg.solve(gram + penalty, (dense[:, others].T * weights) @ dense[:, column])
        np.testing.assert_allclose(model.weights[others, column], exact, atol=1e-5)
    with pytest.raises(ParametersInvalid, match="dropout"):
        EASE.fit(csr_array(dense), dropout=1.0)


def test_ease_refuses_what_cannot_be_solved_or_held(monkeypatch):
    matrix = csr_array(np.eye(3, dtype=np.float32))
    for regularization in (0, -1, math.nan):
        with pytest.raises(ParametersInvalid, match="above 0"):
            EASE.fit(matrix, regularization=regularization)
    monkeypatch.setattr(ease, "available_bytes", lambda: 20 * 8)
    with pytest.raises(MemoryShort) as caught:
        EASE.fit(matrix)
    assert "at most 2 titles fit" in caught.value.hint


@laws
@given(some_strengths, st.sampled_from([0.5, 1.0, 1.5]), st.sampled_from([0.0, 0.6]))
def test_rp3beta_is_the_walk_written_as_loops(dense, alpha, beta):
    n_users, n_items = dense.shape
    x = dense.astype(np.float64)
    walks = np.zeros((n_items, n_items))
    for i in range(n_items):
        for j in range(n_items):
            if i == j:
                continue
            for u in range(n_users):
                if x[u, i] > 0 and x[u, j] > 0:
                    walks[i, j] += (x[u, i] / x[:, i].sum() * x[u, j] / x[u].sum()) ** alpha
            walks[i, j] /= max((x[:, j] > 0).sum(), 1) ** beta
    model = RP3Beta.fit(csr_array(dense), alpha=alpha, beta=beta)
    assert model.scores(np.arange(n_users)) == pytest.approx(x @ walks, rel=1e-4, abs=1e-6)


def test_rp3beta_keeps_the_titles_that_are_reached_most():
    rng = np.random.default_rng(3)
    matrix = csr_array((rng.random((40, 12)) < 0.4).astype(np.float32))
    everything, few = RP3Beta.fit(matrix).walks.toarray(), RP3Beta.fit(matrix, neighbours=3).walks.toarray()
    assert (np.count_nonzero(few, axis=1) <= 3).all()
    for row, kept in zip(everything, few, strict=True):
        best = sorted(row, reverse=True)[:3]
        assert sorted(kept[kept > 0], reverse=True) == pytest.approx(best)


def test_models_of_a_user_without_history_say_nothing():
    dense = np.zeros((3, 4), dtype=np.float32)
    dense[:2, :3] = 1
    for model in (EASE.fit(csr_array(dense)), RP3Beta.fit(csr_array(dense)), ItemKNN.fit(csr_array(dense))):
        assert model.scores(np.array([2])).tolist() == [[0, 0, 0, 0]]
        assert np.isfinite(model.scores(np.array([0, 1]))).all()
