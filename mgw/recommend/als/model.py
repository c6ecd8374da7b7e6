"""ALS as a model: parameters in, factors out.

The objective is that of Rendle, Krichene, Zhang & Koren (2021), "Revisiting the Performance of iALS on Item
Recommendation Benchmarks", eq. 2–4, with strengths on the observed pairs:

    L(X, Y) = Σ_{(u,i) observed} s_ui (x_u·y_i - 1)²  +  α0 Σ_{all u,i} (x_u·y_i)²
            + Σ_u λ_u |x_u|²  +  Σ_i λ_i |y_i|²
    λ_u = λ (n_u + α0 |I|)^ν      λ_i = λ (n_i + α0 |U|)^ν

The second sum runs over all pairs, observed or not; through the Gram matrix it costs d² per row and not |I|·d.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np
from threadpoolctl import threadpool_limits

from mgw.core.errors import MemoryShort, NoEvents, ParametersInvalid
from mgw.core.memory import available_bytes
from mgw.core.progress import SILENT
from mgw.recommend.als.kernels import solve_rows
from mgw.recommend.foldin import weighted_gram

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from mgw.core.progress import Progress
    from mgw.core.settings import AlsSettings

CG_STEPS = 3
_LOSS_PAIRS = 65_536  # predicted at once, to stay in the cache
_LEAST_REGULARIZATION = 1e-5
_MOST_REGULARIZATION = 1e30  # more would leave float32, and everything is zero long before


@dataclass(frozen=True, slots=True)
class ALS:
    """A fitted model.

    Attributes:
        user_factors: `(n_users, factors)`; zero for a user without interactions.
        item_factors: `(n_items, factors)`; zero for a title without interactions.
    """

    user_factors: NDArray[np.float32]
    item_factors: NDArray[np.float32]

    @classmethod
    def fit(
        cls,
        matrix: csr_array[np.float32],
        settings: AlsSettings,
        *,
        threads: int = 0,
        progress: Progress = SILENT,
        on_epoch: Callable[[int, ALS], None] | None = None,
    ) -> ALS:
        """Fit factors to a matrix of strengths.

        Args:
            matrix: strengths > 0, `(n_users, n_items)`.
            settings: the parameters.
            threads: how many; 0 means one for each CPU that this process may use.
            progress: where to report epochs.
            on_epoch: called after each epoch with its number, from 1, and the model so far.

        Raises:
            NoEvents: the matrix has no interactions.
            ParametersInvalid: a strength is not a positive number.
            MemoryShort: it would not fit into the memory that is left.
        """
        _check(matrix)
        _require_memory(matrix, settings.factors)
        by_user = (matrix * np.float32(settings.strength_scale)).tocsr()
        by_item = by_user.T.tocsr()
        model = cls(*_starting_values(by_user, by_item, settings))
        with (
            threadpool_limits(1, user_api="blas"),
            _numba_threads(threads),
            progress.stage("training ALS", settings.epochs) as stage,
        ):
            for epoch in range(1, settings.epochs + 1):
                _half_step(by_user, model.item_factors, model.user_factors, settings)
                _half_step(by_item, model.user_factors, model.item_factors, settings)
                stage.advance()
                if on_epoch is not None:
                    on_epoch(epoch, model)
        return model

    def scores(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score every title for some users, `(len(users), n_items)`."""
        return self.user_factors[users] @ self.item_factors.T


def loss(model: ALS, matrix: csr_array[np.float32], settings: AlsSettings) -> float:
    """Return the objective that `ALS.fit` minimises, in float64."""
    by_user = matrix.tocsr()
    users = np.repeat(np.arange(len(model.user_factors)), np.diff(by_user.indptr))
    observed = 0.0
    for start in range(0, by_user.nnz, _LOSS_PAIRS):
        part = slice(start, start + _LOSS_PAIRS)
        x, y = model.user_factors[users[part]], model.item_factors[by_user.indices[part]]
        predicted = np.einsum("nd,nd->n", x, y).astype(np.float64)
        observed += float(by_user.data[part].astype(np.float64) @ (predicted - 1) ** 2)
    x, y = model.user_factors.astype(np.float64), model.item_factors.astype(np.float64)
    unobserved = settings.unobserved_weight * float(np.sum((x.T @ x) * (y.T @ y)))
    norms = _regularization(by_user, settings) @ (x**2).sum(1) + _regularization(by_user.T.tocsr(), settings) @ (
        y**2
    ).sum(1)
    return settings.strength_scale * observed + unobserved + float(norms)


def _check(matrix: csr_array[np.float32]) -> None:
    if matrix.nnz == 0:
        raise NoEvents("there is no interaction to train on", hint="import viewing events, or try `mgw sample`")
    if not np.all(np.isfinite(matrix.data)) or matrix.data.min() <= 0:
        raise ParametersInvalid("a strength is not a positive number", hint="leave out pairs without positive evidence")


def _require_memory(matrix: csr_array[np.float32], factors: int) -> None:
    """Refuse a training that would not fit: both matrices, both sides of factors, and a few d by d matrices."""
    n_rows = sum(matrix.shape)
    fixed = 2 * (matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes)
    needed = fixed + 4 * n_rows * factors + 40 * factors**2
    available = available_bytes()
    if available is not None and needed > available:
        # The largest d with 40·d² + 4·n·d = available - fixed.
        room = max(available - fixed, 0)
        fits = int((math.sqrt((4 * n_rows) ** 2 + 160 * room) - 4 * n_rows) / 80)
        raise MemoryShort(
            f"training with {factors} factors needs {needed / 1e9:,.1f} GB, {available / 1e9:,.1f} GB are left",
            hint=f"at most {fits} factors fit" if fits else "not even one factor fits: free some memory",
        )


def _starting_values(
    by_user: csr_array[np.float32], by_item: csr_array[np.float32], settings: AlsSettings
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rng = np.random.default_rng(settings.seed)
    scale = np.float32(settings.init_stddev / np.sqrt(settings.factors))
    sides = []
    for side in (by_user, by_item):
        factors = rng.standard_normal((side.shape[0], settings.factors), dtype=np.float32) * scale
        factors[np.diff(side.indptr) == 0] = 0
        sides.append(factors)
    return sides[0], sides[1]


def _half_step(
    matrix: csr_array[np.float32],
    others: NDArray[np.float32],
    factors: NDArray[np.float32],
    settings: AlsSettings,
) -> None:
    gram = weighted_gram(others, settings.unobserved_weight)
    # Next to no regularization may leave a system singular, and the rounding errors of float32 would then grow into
    # the factors without end. This much more is below what float32 can tell from none.
    floor = _LEAST_REGULARIZATION * np.trace(gram) / len(gram) + np.finfo(np.float32).tiny
    regularization = np.clip(_regularization(matrix, settings), floor, _MOST_REGULARIZATION)
    shared = gram + regularization.mean() * np.eye(len(gram))
    inverse = np.linalg.inv(shared)
    solve_rows(
        matrix.indptr.astype(np.int64),
        matrix.indices.astype(np.int32),
        matrix.data,
        others,
        gram.astype(np.float32),
        ((inverse + inverse.T) / 2).astype(np.float32),
        regularization.astype(np.float32),
        CG_STEPS,
        factors,
    )


def _regularization(matrix: csr_array[np.float32], settings: AlsSettings) -> NDArray[np.float64]:
    n_rows, n_columns = matrix.shape
    seen = np.diff(matrix.indptr) + settings.unobserved_weight * n_columns
    weights: NDArray[np.float64] = settings.regularization * seen**settings.regularization_exponent
    assert weights.shape == (n_rows,)
    return weights


@contextmanager
def _numba_threads(threads: int) -> Iterator[None]:
    """Set Numba's number of threads for a block; 0 means all."""
    most: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]  # set when Numba is imported
    before = numba.get_num_threads()
    numba.set_num_threads(min(threads or most, most))
    try:
        yield
    finally:
        numba.set_num_threads(before)
