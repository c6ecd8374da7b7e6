"""RP3β: random walks of three steps from a user to titles, with popular ones held back.

    P_ui = X_ui / Σ_j X_uj,  P_iu = X_ui / Σ_v X_vi                     steps from users to titles and back
    W_ij = (Σ_u P_iu^α P_uj^α) / pop(j)^β                               pop(j): users who liked title j
    score_uj = Σ_i X_ui W_ij

Paudel, Christoffel, Newell & Bernstein (2017), "Updatable, Accurate, Diverse, and Scalable Recommendations for
Interactive Applications", section 3; the exponent α on each step is that of P3α (Cooper et al. 2014). As usual, only
the titles that a walk from i reaches most are kept in row i.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from mgw.recommend.baselines.neighbours import nearest

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class RP3Beta:
    """A fitted model.

    Attributes:
        matrix: what users liked, `(n_users, n_items)`.
        walks: W, `(n_items, n_items)`.
    """

    matrix: csr_array[np.float32]
    walks: csr_array[np.float32]

    @classmethod
    def fit(
        cls, matrix: csr_array[np.float32], *, alpha: float = 1.0, beta: float = 0.6, neighbours: int = 200
    ) -> Self:
        """Walk from every title to a user and on to a title.

        Args:
            matrix: strengths, `(n_users, n_items)`.
            alpha: exponent of each step's probability: above 1, likely steps count for more.
            beta: exponent of the popularity that a title's probability is divided by; 0 leaves popular titles in front.
            neighbours: how many titles are kept for each.
        """
        to_titles = _steps(matrix, alpha)  # (n_users, n_items)
        to_users = _steps(csr_array(matrix.T), alpha)  # (n_items, n_users)
        likes = np.bincount(matrix.indices[matrix.data > 0], minlength=matrix.shape[1])
        penalty = np.maximum(likes, 1).astype(np.float32) ** np.float32(beta)

        def walked(start: int, stop: int) -> NDArray[np.float32]:
            reached: NDArray[np.float32] = (to_users[start:stop] @ to_titles).toarray() / penalty  # (block, n_items)
            return reached

        return cls(matrix, nearest(walked, matrix.shape[1], neighbours))

    def given(self, histories: csr_array[np.float32]) -> Self:
        """Return the same model for other users, who are known by their strengths alone, `(n, n_items)`."""
        return replace(self, matrix=histories)

    def scores(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score all titles for `users`, `(len(users), n_items)`."""
        return (self.matrix[users] @ self.walks).toarray()


def _steps(matrix: csr_array[np.float32], alpha: float) -> csr_array[np.float32]:
    """Return the probability of each step from a row of `matrix` to its columns, to the power of `alpha`."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    totals = np.bincount(rows, weights=matrix.data, minlength=matrix.shape[0])
    # A row of stored zeros has nowhere to go.
    shares = np.divide(matrix.data, totals[rows], out=np.zeros(matrix.nnz), where=totals[rows] > 0) ** alpha
    return csr_array((shares.astype(np.float32), matrix.indices, matrix.indptr), shape=matrix.shape)
