"""How ALS gets there: exact and iterative half-steps, relaxation, the spectral start, shares of work."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from mgw.core.settings import AlsSettings
from mgw.recommend.als import ALS, loss
from mgw.recommend.als.kernels import work_shares
from mgw.recommend.als.side import Side
from mgw.recommend.als.start import starting_values

from .test_model import exact_half_step, random_matrix, weights_of


def planted(n_users=300, n_items=120, rank=6, seed=0):
    """A matrix of `rank` groups of users, each with titles of its own, and some chance."""
    rng = np.random.default_rng(seed)
    groups, titles = rng.integers(rank, size=n_users), rng.integers(rank, size=n_items)
    chance = np.where(groups[:, None] == titles, 0.4, 0.02)
    return csr_array((rng.random((n_users, n_items)) < chance).astype(np.float32))


def losses(matrix, **changes):
    als, found = AlsSettings(**{"factors": 8, "epochs": 10, **changes}), []
    ALS.fit(matrix, als, on_epoch=lambda _, model: found.append(loss(model, matrix, als)))
    return found


@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_cholesky_solves_every_row_exactly(scale):
    matrix, als = (
        random_matrix(),
        AlsSettings(factors=6, epochs=3, solver="cholesky", strength_scale=scale, relaxation=1.0),
    )
    before = []
    model = ALS.fit(matrix, als, on_epoch=lambda _, model: before.append(model.item_factors.copy()))
    weights = weights_of(matrix.toarray(), als)
    users = exact_half_step(weights, before[1].astype(float), als)
    np.testing.assert_allclose(model.user_factors, users, rtol=1e-4, atol=1e-6)
    items = exact_half_step(weights.T, model.user_factors.astype(float), als)
    np.testing.assert_allclose(model.item_factors, items, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("start", ["spectral", "random"])
def test_many_steps_of_conjugate_gradients_are_exact(start):
    matrix = planted()
    common = {"factors": 8, "epochs": 4, "start": start}
    exact = ALS.fit(matrix, AlsSettings(**common, solver="cholesky"))
    many = ALS.fit(matrix, AlsSettings(**common, cg_steps=40))
    one = losses(matrix, **common)[-1]
    np.testing.assert_allclose(many.scores(np.arange(50)), exact.scores(np.arange(50)), atol=2e-3)
    assert one == pytest.approx(losses(matrix, **common, solver="cholesky")[-1], rel=5e-2)


@pytest.mark.parametrize("solver", ["cg", "cholesky"])
@pytest.mark.parametrize("relaxation", [0.5, 1.0, 1.4, 1.9])
def test_the_loss_falls_with_every_epoch(solver, relaxation):
    # Any factor below 2 lowers a convex quadratic on the way to its minimum; steps that are not exact, nearly so.
    found = losses(planted(), solver=solver, relaxation=relaxation, epochs=20)
    assert all(after <= before * (1 + 1e-5) for before, after in pairwise(found))


def test_relaxation_and_the_start_change_the_way_and_not_the_end():
    matrix = planted()
    ends = [
        losses(matrix, epochs=150, relaxation=relaxation, start=start, factors=4)[-1]
        for relaxation in (1.0, 1.4)
        for start in ("spectral", "random")
    ]
    assert ends == pytest.approx([ends[0]] * 4, rel=1e-3)


def test_fewer_epochs_are_worth_as_many_of_plain_als():
    matrix = planted(600, 300)
    plain = losses(matrix, start="random", relaxation=1.0, cg_steps=2)
    assert losses(matrix)[0] < 0.8 * plain[0]  # by where it begins
    assert losses(matrix, start="random", cg_steps=2)[5] < plain[9]  # by how far it goes


def test_the_spectral_start_spans_one_multiplication_of_a_random_subspace():
    matrix, als = planted(rank=6), AlsSettings(factors=6, seed=1)
    users, items = Side.of(matrix, als), Side.of(matrix.T.tocsr(), als)
    x, y = starting_values(users, items, als)
    assert not x.any()
    assert np.sqrt((y**2).sum(1).mean()) == pytest.approx(0.15, rel=1e-4)
    y /= np.linalg.norm(y, axis=0)
    np.testing.assert_allclose(y.T @ y, np.eye(6), atol=1e-4)
    degrees = [np.sqrt(side.sums()) for side in (users, items)]
    normalised = matrix.toarray() / degrees[0][:, None] / degrees[1]
    rng = np.random.default_rng(1)
    rng.standard_normal((300, 6), dtype=np.float32)  # the users' are drawn first
    taken, _ = np.linalg.qr(normalised.T @ (normalised @ rng.standard_normal((120, 6), dtype=np.float32)))
    assert np.linalg.svd(taken.T @ y, compute_uv=False) == pytest.approx(np.ones(6), abs=1e-4)


def test_directions_that_are_not_there_start_anywhere():
    als = AlsSettings(factors=16)
    matrix = csr_array(np.ones((5, 3), dtype=np.float32))
    _, y = starting_values(Side.of(matrix, als), Side.of(matrix.T.tocsr(), als), als)
    assert np.isfinite(y).all()
    assert np.count_nonzero(np.abs(y).sum(0)) == 16
    assert np.isfinite(ALS.fit(matrix, als).item_factors).all()


any_settings = st.builds(
    AlsSettings,
    factors=st.just(9),
    epochs=st.just(4),
    solver=st.sampled_from(["cg", "cholesky"]),
    start=st.sampled_from(["spectral", "random"]),
    regularization=st.floats(0, 1e30),
    regularization_exponent=st.floats(0, 3),
    unobserved_weight=st.floats(1e-6, 1e6),
    strength_scale=st.floats(1e-3, 1e3),
    activity_exponent=st.floats(0, 1),
    relaxation=st.floats(0.05, 1.95),
    cg_steps=st.integers(1, 30),
    seed=st.integers(0, 5),
)


@settings(deadline=None, max_examples=60)
@given(any_settings)
def test_factors_are_finite_whatever_the_parameters(als):
    model = ALS.fit(random_matrix(12, 9, 0.4, seed=als.seed), als)
    assert np.isfinite(model.user_factors).all()
    assert np.isfinite(model.item_factors).all()


@pytest.mark.parametrize("start", ["spectral", "random"])
@pytest.mark.parametrize("solver", ["cg", "cholesky"])
def test_threads_do_not_change_a_bit(solver, start):
    matrix = planted(500, 200)
    als = AlsSettings(factors=12, epochs=3, solver=solver, start=start)
    one, two = (ALS.fit(matrix, als, threads=threads) for threads in (1, 2))
    assert one.user_factors.tobytes() == two.user_factors.tobytes()
    assert one.item_factors.tobytes() == two.item_factors.tobytes()


@settings(deadline=None)
@given(st.lists(st.integers(0, 1000), min_size=1, max_size=400), st.sampled_from([1, 64, 512]))
def test_shares_hold_each_row_once_and_no_share_much_more_than_another(lengths, factors):
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    shares = work_shares(indptr, factors)
    assert (shares[0], shares[-1]) == (0, len(lengths))
    assert (np.diff(shares) > 0).all()
    work = np.asarray(lengths) + factors / 6
    most = max(work[start:stop].sum() for start, stop in pairwise(shares))
    assert most <= work.sum() / min(120, len(lengths)) + 2 * work.max()


def test_the_callers_matrix_is_neither_changed_nor_copied():
    matrix = planted()
    before = matrix.copy()
    side = Side.of(matrix, AlsSettings(factors=4))
    assert np.shares_memory(side.strength, matrix.data)
    ALS.fit(matrix, AlsSettings(factors=4, epochs=2, strength_scale=3.0))
    assert (matrix != before).nnz == 0
