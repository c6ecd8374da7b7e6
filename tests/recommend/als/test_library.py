"""ALS as a library: what a notebook or a service asks of a fitted model."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from mgw.core.errors import ModelForeign, ModelMissing, ParametersInvalid
from mgw.core.settings import AlsSettings
from mgw.recommend.als import ALS
from mgw.recommend.metrics import top_columns
from mgw.recommend.ranking import best_columns

from .test_model import exact_half_step, random_matrix, weights_of


@pytest.fixture(scope="module")
def matrix():
    return random_matrix(90, 70, 0.2, seed=4)


@pytest.fixture(scope="module")
def model(matrix):
    return ALS.fit(matrix, AlsSettings(factors=12, epochs=8, strength_scale=1.5))


@settings(deadline=None, max_examples=60)
@given(
    shape=st.tuples(st.integers(1, 150), st.integers(1, 2500)),
    top_k=st.integers(1, 30),
    rng=st.integers(0, 9).map(np.random.default_rng),
    coarse=st.booleans(),
    hidden=st.sampled_from([0.0, 0.1, 1.0]),
)
def test_the_best_columns_are_those_of_a_sort(shape, top_k, rng, coarse, hidden):
    # Whole numbers are exact in any order of summing, and tie often.
    x, y = (rng.integers(-3, 4, (n, 3)).astype(np.float32) for n in shape)
    y = np.sign(y) if coarse else y
    excluded = csr_array(rng.random(shape) < hidden)
    columns, scores = best_columns(x, y, top_k, excluded)
    assert columns.tolist() == top_columns(x @ y.T, excluded, top_k).tolist()
    listed = columns >= 0
    assert (scores[listed] == (x @ y.T)[np.nonzero(listed)[0], columns[listed]]).all()
    assert np.isneginf(scores[~listed]).all()


def test_recommendations_leave_out_what_is_excluded_and_what_nobody_watched(model, matrix):
    users = np.array([0, 3, 50])
    columns, scores = model.recommend(users, 70, exclude=matrix[users])
    for user, row, values in zip(users, columns, scores, strict=True):
        if user == 3:  # without interactions
            assert (row == -1).all()
            continue
        expected = {item for item in range(70) if item != 5 and matrix[user, item] == 0}
        assert set(row[row >= 0].tolist()) == expected
        assert values[row >= 0] == pytest.approx(model.scores(np.array([user]))[0][row[row >= 0]], abs=1e-6)
        assert (np.diff(values[row >= 0]) <= 0).all()


def test_fold_in_is_the_direct_solve(model, matrix):
    histories = matrix[[0, 3, 11, 40]]
    folded = model.fold_in(histories)
    expected = exact_half_step(
        weights_of(histories.toarray(), model.settings), model.item_factors.astype(float), model.settings
    )
    np.testing.assert_allclose(folded, expected, atol=1e-5)
    columns, _ = model.recommend(folded, 5, exclude=histories)
    assert columns.shape == (4, 5)


def test_what_was_watched_carries_the_score_and_sums_to_it(model, matrix):
    history = matrix[[11]]
    targets = np.array([2, 30, 69])
    shares = model.explain(history, targets)
    assert shares.shape == (3, history.nnz)
    folded = model.fold_in(history)[0].astype(float)
    assert shares.sum(axis=1) == pytest.approx(model.item_factors[targets].astype(float) @ folded, abs=1e-5)


def test_similar_items_and_users_are_those_of_the_cosine(model):
    for factors, ask in ((model.item_factors, model.similar_items), (model.user_factors, model.similar_users)):
        columns, cosines = ask(7, 6)
        lengths = np.linalg.norm(factors, axis=1)
        with np.errstate(invalid="ignore"):
            expected = np.nan_to_num(factors @ factors[7] / (lengths * lengths[7]), nan=-2)
        expected[7] = -2
        order = np.argsort(-expected, kind="stable")[:6]
        assert columns.tolist() == order.tolist()
        assert cosines == pytest.approx(expected[order], abs=1e-5)


def test_partial_fit_solves_for_what_changed_and_for_what_is_new(model, matrix):
    rng = np.random.default_rng(0)
    dense = np.zeros((92, 73), dtype=np.float32)
    dense[:90, :70] = matrix.toarray()
    dense[4, :20] = 0.7
    dense[90:, rng.integers(73, size=12)] = 1
    dense[:30, 72] = 1
    later = model.partial_fit(csr_array(dense), users=np.array([4]), items=np.array([9]))
    x = np.zeros((92, 12))
    x[:90] = model.user_factors
    y = np.zeros((73, 12))
    y[:70] = model.item_factors
    rows, columns = [4, 90, 91], [9, 70, 71, 72]
    weights = weights_of(dense, model.settings)
    x[rows] = exact_half_step(weights[rows], y, model.settings)
    np.testing.assert_allclose(later.user_factors, x, atol=1e-5)
    y[columns] = exact_half_step(weights.T[columns], x, model.settings)
    np.testing.assert_allclose(later.item_factors, y, atol=1e-5)
    assert len(model.user_factors) == 90


def test_partial_fits_of_everybody_in_turn_are_a_full_fit(model, matrix):
    full = ALS.fit(matrix, AlsSettings(factors=12, epochs=2000, strength_scale=1.5, solver="cholesky", relaxation=1.0))
    again = full.partial_fit(matrix, users=np.arange(90), items=np.arange(70))
    np.testing.assert_allclose(again.scores(np.arange(90)), full.scores(np.arange(90)), atol=1e-4)


def test_a_saved_model_is_the_same_model(model, tmp_path):
    name = model.save(tmp_path / "models")
    for loaded in (ALS.load(tmp_path / "models"), ALS.load(tmp_path / "models", name)):
        assert loaded.settings == model.settings
        assert loaded.item_factors.tobytes() == model.item_factors.tobytes()
        assert loaded.recommend(np.array([1]), 4)[0].tolist() == model.recommend(np.array([1]), 4)[0].tolist()


def test_a_model_of_another_format_or_kind_is_refused(model, tmp_path):
    with pytest.raises(ModelMissing):
        ALS.load(tmp_path / "nothing")
    name = model.save(tmp_path)
    manifest = tmp_path / name / "manifest.json"
    document = json.loads(manifest.read_text())
    for change in ({"format_version": 99}, {"kind": "forest"}):
        manifest.write_text(json.dumps(document | change))
        with pytest.raises(ModelForeign):
            ALS.load(tmp_path)


def test_what_is_not_there_is_named(model, matrix):
    for call, words in (
        (lambda: model.recommend(np.array([90])), "no user 90"),
        (lambda: model.recommend(np.array([-1])), "no user -1"),
        (lambda: model.recommend(np.array([0.5])), "rows of the training matrix or factors"),
        (lambda: model.recommend(np.array([1]), exclude=matrix), "shape"),
        (lambda: model.recommend(np.array([1]), 0), "0 places"),
        (lambda: model.recommend(np.array([1]), exclude=matrix[[1], :60]), "shape"),
        (lambda: model.similar_items(1, -3), "-3 places"),
        (lambda: model.similar_items(70), "no title 70"),
        (lambda: model.similar_items(5), "nothing is known of the title 5"),
        (lambda: model.similar_users(3), "nothing is known of the user 3"),
        (lambda: model.fold_in(matrix[:, :69]), "69 titles, the model 70"),
        (lambda: model.fold_in(csr_array(np.full((1, 70), np.nan, dtype=np.float32))), "not a positive number"),
        (lambda: model.fold_in(-matrix), "not a positive number"),
        (lambda: model.partial_fit(matrix[:80]), "80 × 70"),
        (lambda: model.partial_fit(matrix, users=np.array([90])), "no user 90"),
    ):
        with pytest.raises(ParametersInvalid, match=words):
            call()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 3)])
def test_small_matrices_are_answered(shape):
    model = ALS.fit(csr_array(np.ones(shape, dtype=np.float32)), AlsSettings(factors=16, epochs=2))
    columns, scores = model.recommend(np.arange(shape[0]), 4)
    assert ((columns >= 0).sum(axis=1) == min(4, shape[1])).all()
    assert np.isfinite(scores[columns >= 0]).all()
    near, cosines = model.similar_items(0, 5)
    assert len(near) == len(cosines) == min(5, shape[1] - 1)


def test_the_library_loads_nothing_heavy_until_it_is_asked_for():
    program = (
        "import sys, mgw.recommend; assert 'numpy' not in sys.modules;"
        "from mgw.recommend import ALS, AlsSettings; print(ALS.__name__, AlsSettings().factors)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("ALS ")
