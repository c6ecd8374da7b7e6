"""ALS against the objective's own derivative, an exact solver written with dense matrices, and itself."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from mgw.core.errors import MemoryShort, NoEvents, ParametersInvalid
from mgw.core.settings import AlsSettings
from mgw.recommend.als import ALS, loss
from mgw.recommend.foldin import weighted_gram


def random_matrix(n_users=60, n_items=45, density=0.15, seed=0):
    rng = np.random.default_rng(seed)
    dense = np.where(rng.random((n_users, n_items)) < density, rng.uniform(0.1, 1, (n_users, n_items)), 0)
    dense[3], dense[:, 5] = 0, 0  # a user and a title without interactions
    return csr_array(dense.astype(np.float32))


def weights_of(dense, settings):
    """The weights of observed pairs, users by titles, as the settings state them."""
    counts = (dense > 0).sum(axis=1)
    typical = settings.activity_reference or np.mean(counts[counts > 0])
    return dense * settings.strength_scale * ((np.maximum(counts, 1) / typical) ** -settings.activity_exponent)[:, None]


def dense_objective(x, y, dense, settings):
    """The objective as the docstring states it, by dense matrices."""
    predicted = x @ y.T
    observed = dense > 0
    weights = weights_of(dense, settings)
    users = (
        settings.regularization
        * (observed.sum(1) + settings.unobserved_weight * dense.shape[1]) ** settings.regularization_exponent
    )
    items = (
        settings.regularization
        * (observed.sum(0) + settings.unobserved_weight * dense.shape[0]) ** settings.regularization_exponent
    )
    return (
        np.sum(weights * (predicted - 1) ** 2)
        + settings.unobserved_weight * np.sum(predicted**2)
        + users @ np.sum(x**2, axis=1)
        + items @ np.sum(y**2, axis=1)
    )


def exact_half_step(weights, others, settings):
    """Solve each row's normal equations directly (Hu, Koren & Volinsky 2008, eq. 4, in this objective's weights)."""
    d = others.shape[1]
    rows = []
    for strengths in weights.astype(np.float64):
        seen = np.count_nonzero(strengths) + settings.unobserved_weight * weights.shape[1]
        penalty = settings.regularization * seen**settings.regularization_exponent
        system = settings.unobserved_weight * others.T @ others + (others.T * strengths) @ others + penalty * np.eye(d)
        rows.append(np.linalg.solve(system, others.T @ strengths))
    return np.array(rows)


@pytest.mark.parametrize("exponent", [0.0, 1.0])
def test_the_loss_is_the_objective_over_all_pairs(exponent):
    matrix, settings = random_matrix(), AlsSettings(factors=8, epochs=2, regularization_exponent=exponent)
    model = ALS.fit(matrix, settings)
    expected = dense_objective(
        model.user_factors.astype(float), model.item_factors.astype(float), matrix.toarray().astype(float), settings
    )
    assert loss(model, matrix, settings) == pytest.approx(expected, rel=1e-6)


def test_training_reaches_the_loss_of_exact_alternating_solves():
    matrix, settings = random_matrix(), AlsSettings(factors=8, epochs=30)
    dense = matrix.toarray()
    weights, rng = weights_of(dense, settings), np.random.default_rng(1)
    y = rng.standard_normal((dense.shape[1], 8)) * 0.1
    for _ in range(60):
        x = exact_half_step(weights, y, settings)
        y = exact_half_step(weights.T, x, settings)
    exact = dense_objective(x, y, dense.astype(float), settings)
    assert loss(ALS.fit(matrix, settings), matrix, settings) == pytest.approx(exact, rel=0.01)


def test_the_last_half_step_leaves_no_gradient_in_the_item_factors():
    matrix, settings = random_matrix(), AlsSettings(factors=6, epochs=80)
    model = ALS.fit(matrix, settings)
    solved = exact_half_step(weights_of(matrix.toarray(), settings).T, model.user_factors.astype(float), settings)
    np.testing.assert_allclose(model.item_factors, solved, atol=2e-3)


def test_the_exact_solution_is_a_minimum_of_the_objective():
    # Guards the oracle itself: its normal equations and its objective must belong together.
    dense, settings = random_matrix(8, 7, 0.4).toarray().astype(float), AlsSettings(factors=3)
    y = np.random.default_rng(2).standard_normal((7, 3))
    x = exact_half_step(weights_of(dense, settings), y, settings)
    best = dense_objective(x, y, dense, settings)
    for step in np.random.default_rng(3).standard_normal((20, *x.shape)) * 1e-3:
        assert dense_objective(x + step, y, dense, settings) > best


def test_one_seed_gives_one_model_bit_for_bit_whatever_the_threads():
    matrix, settings = random_matrix(400, 300), AlsSettings(factors=16, epochs=3, seed=7)
    one, two, again = (ALS.fit(matrix, settings, threads=threads) for threads in (1, 2, 2))
    for other in (two, again):
        assert one.user_factors.tobytes() == other.user_factors.tobytes()
        assert one.item_factors.tobytes() == other.item_factors.tobytes()
    different = ALS.fit(matrix, AlsSettings(factors=16, epochs=3, seed=8))
    assert one.item_factors.tobytes() != different.item_factors.tobytes()


@pytest.mark.parametrize("regularization", [0.0, 1e-12, 1.0, 1e6, 1e38])
@pytest.mark.parametrize("epochs", [1, 40])
def test_factors_are_finite_at_any_regularization_and_length(regularization, epochs):
    matrix = random_matrix(20, 15, 0.3)
    model = ALS.fit(matrix, AlsSettings(factors=32, epochs=epochs, regularization=regularization))
    assert np.all(np.isfinite(model.user_factors))
    assert np.all(np.isfinite(model.item_factors))


def test_rows_without_interactions_have_zero_factors():
    model = ALS.fit(random_matrix(), AlsSettings(factors=8, epochs=2))
    assert not np.any(model.user_factors[3])
    assert not np.any(model.item_factors[5])


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1), (33, 65)])
def test_any_shape_can_be_fitted(shape):
    model = ALS.fit(csr_array(np.ones(shape, dtype=np.float32)), AlsSettings(factors=4, epochs=3))
    assert model.scores(np.arange(shape[0])).shape == shape


def test_what_was_watched_scores_above_what_was_not():
    blocks = np.kron(np.eye(3), np.ones((20, 10))).astype(np.float32)
    model = ALS.fit(csr_array(blocks), AlsSettings(factors=8, epochs=10))
    scores = model.scores(np.arange(60))
    assert scores[blocks > 0].min() > scores[blocks == 0].max() + 0.5


def test_an_empty_matrix_is_refused():
    with pytest.raises(NoEvents, match="no interaction"):
        ALS.fit(csr_array((5, 5), dtype=np.float32), AlsSettings())


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0, 0.0])
def test_a_strength_that_is_not_a_positive_number_is_refused(bad):
    matrix = random_matrix()
    matrix.data[4] = bad
    with pytest.raises(ParametersInvalid, match="not a positive number"):
        ALS.fit(matrix, AlsSettings(factors=4))


def test_the_gram_matrix_is_that_of_all_rows():
    factors = np.random.default_rng(0).standard_normal((10_000, 5)).astype(np.float32)
    np.testing.assert_allclose(weighted_gram(factors, 0.3), 0.3 * factors.T.astype(float) @ factors, rtol=1e-5)


def test_what_cannot_fit_is_refused_and_what_would_fit_is_named():
    with pytest.raises(MemoryShort, match="GB are left") as refused:
        ALS.fit(random_matrix(), AlsSettings(factors=10**9))
    fits = int(refused.value.hint.split()[2])
    assert 1000 < fits < 10**9
    with pytest.raises(MemoryShort):
        ALS.fit(random_matrix(), AlsSettings(factors=2 * fits))
