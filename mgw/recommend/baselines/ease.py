"""EASE: a linear model of titles from titles, solved at once (Steck 2019, "Embarrassingly Shallow Autoencoders").

    minimise |X - X B|² + λ |B|²  with  diag(B) = 0                     eq. 2 and 4
    P = (XᵀX + λ I)⁻¹      B_ij = -P_ij / P_jj  for i ≠ j               eq. 8
    score_uj = Σ_i X_ui B_ij

Two refinements, off unless asked for. With `dropout` p, each title of each user is forgotten with that chance when the
others are predicted, which comes to λ + p/(1-p)·(XᵀX)_jj in place of λ (Steck 2020, "Autoencoders that don't overfit
towards the Identity", eq. 9). With `activity_exponent` β, a user with n titles counts (n / n₀)^-β, as in our ALS.

It knows no factors, and is hard to beat where the titles are few thousands; the inverse takes n_items³ operations and
n_items² cells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import lapack
from scipy.sparse import csr_array

from mgw.core.errors import MemoryShort, NoEvents, ParametersInvalid
from mgw.core.memory import available_bytes
from mgw.recommend.confidence import typical_titles

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

_BYTES_PER_CELL = 8 + 8 + 4  # at the worst, twice: sparse, in float64 and in float32; inverse, its half and weights


@dataclass(frozen=True, slots=True)
class EASE:
    """A fitted model.

    Attributes:
        matrix: what users liked, `(n_users, n_items)`.
        weights: B, `(n_items, n_items)`.
    """

    matrix: csr_array[np.float32]
    weights: NDArray[np.float32]

    @classmethod
    def fit(
        cls,
        matrix: csr_array[np.float32],
        *,
        regularization: float = 400.0,
        dropout: float = 0.0,
        activity_exponent: float = 0.0,
    ) -> Self:
        """Solve for the weights, in float64.

        Args:
            matrix: strengths, `(n_users, n_items)`.
            regularization: λ > 0; it should grow with the number of users, and hundreds are usual.
            dropout: p, 0 to 1 without 1.
            activity_exponent: β, 0 and more.

        Raises:
            NoEvents: there is no interaction.
            ParametersInvalid: λ is not positive, so that the inverse may not exist, or p is not below 1.
            MemoryShort: a matrix of titles by titles would not fit.
        """
        if matrix.nnz == 0:
            raise NoEvents("there is no interaction to train on", hint="import viewing events, or try `mgw sample`")
        if not regularization > 0:
            raise ParametersInvalid(f"EASE needs a regularization above 0, not {regularization}", hint="400 is usual")
        if not 0 <= dropout < 1:
            raise ParametersInvalid(f"a dropout of {dropout} is not a share below 1", hint="0 forgets nothing")
        _require_memory(matrix.shape[1])
        weights = (np.maximum(np.diff(matrix.indptr), 1) / typical_titles(matrix)) ** -activity_exponent
        weighted = matrix if activity_exponent == 0 else csr_array(matrix.multiply(weights[:, None]))
        gram = (weighted.T @ matrix).toarray().astype(np.float64, order="F")
        gram[np.diag_indices_from(gram)] += regularization + dropout / (1 - dropout) * np.diag(gram)
        factor, failed = lapack.dpotrf(gram, lower=True, overwrite_a=True)
        inverse, singular = lapack.dpotri(factor, lower=True, overwrite_c=True)
        if failed or singular:
            raise ParametersInvalid("EASE: the Gram matrix cannot be inverted", hint="raise its regularization")
        diagonal = np.diag(inverse).astype(np.float32)
        lower = np.tril(inverse, -1).astype(np.float32)
        del gram, factor, inverse  # one array, of eight bytes a cell
        return cls(matrix, (lower + lower.T) / -diagonal)

    def given(self, histories: csr_array[np.float32]) -> Self:
        """Return the same model for other users, who are known by their strengths alone, `(n, n_items)`."""
        return replace(self, matrix=histories)

    def scores(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score all titles for `users`, `(len(users), n_items)`."""
        scores: NDArray[np.float32] = self.matrix[users] @ self.weights
        return scores


def _require_memory(n_items: int) -> None:
    available = available_bytes()
    needed = _BYTES_PER_CELL * n_items**2
    if available is not None and needed > available:
        fits = int((available / _BYTES_PER_CELL) ** 0.5)
        raise MemoryShort(
            f"EASE of {n_items:,} titles needs {needed / 1e9:,.1f} GB, {available / 1e9:,.1f} GB are left",
            hint=f"at most {fits:,} titles fit: leave EASE out",
        )
