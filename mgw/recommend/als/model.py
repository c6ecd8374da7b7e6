"""ALS as a model: parameters in, factors out.

The objective is that of Rendle, Krichene, Zhang & Koren (2021), "Revisiting the Performance of iALS on Item
Recommendation Benchmarks", eq. 2–4, with strengths on the observed pairs:

    L(X, Y) = Σ_{(u,i) observed} s_ui (x_u·y_i - 1)²  +  α0 Σ_{all u,i} (x_u·y_i)²
            + Σ_u λ_u |x_u|²  +  Σ_i λ_i |y_i|²
    λ_u = λ (n_u + α0 |I|)^ν      λ_i = λ (n_i + α0 |U|)^ν

The second sum runs over all pairs, observed or not; through the Gram matrix it costs d² per row and not |I|·d.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mgw.core.progress import SILENT
from mgw.recommend.als.side import regularization_weights
from mgw.recommend.als.solver import train

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from mgw.core.progress import Progress
    from mgw.core.settings import AlsSettings

_LOSS_PAIRS = 65_536  # predicted at once, to stay in the cache


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

        def report(epoch: int, users: NDArray[np.float32], items: NDArray[np.float32]) -> None:
            if on_epoch is not None:
                on_epoch(epoch, cls(users, items))

        return cls(*train(matrix, settings, threads=threads, progress=progress, on_epoch=report))

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
    norms = regularization_weights(by_user, settings) @ (x**2).sum(1) + regularization_weights(
        by_user.T.tocsr(), settings
    ) @ (y**2).sum(1)
    return settings.strength_scale * observed + unobserved + float(norms)
