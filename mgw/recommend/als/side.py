"""One side of the matrix, users or titles, in the form that the kernels take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from mgw.recommend.als.kernels import row_sums, work_shares

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from mgw.core.settings import AlsSettings


@dataclass(frozen=True, slots=True)
class Side:
    """Interactions row by row.

    Attributes:
        indptr: `(n_rows + 1,)`.
        indices: column of each interaction, `(nnz,)`.
        strength: weight of each interaction, `(nnz,)`.
        shares: see `work_shares`.
        regularization: λ of each row, `(n_rows,)`.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    strength: NDArray[np.float32]
    shares: NDArray[np.int64]
    regularization: NDArray[np.float64]

    @classmethod
    def of(cls, matrix: csr_array[np.float32], settings: AlsSettings) -> Self:
        """Take the rows of a matrix of `confidences`, whose arrays are shared where they fit."""
        return cls(
            matrix.indptr.astype(np.int64, copy=False),
            matrix.indices.astype(np.int32, copy=False),
            matrix.data.astype(np.float32, copy=False),
            work_shares(matrix.indptr, settings.factors),
            regularization_weights(matrix, settings),
        )

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return len(self.indptr) - 1

    @property
    def counts(self) -> NDArray[np.int64]:
        """Interactions of each row, `(n_rows,)`."""
        return np.diff(self.indptr)

    def sums(self) -> NDArray[np.float64]:
        """Return the sum of each row's strengths, `(n_rows,)`."""
        sums = np.empty(self.n_rows)
        row_sums(self.indptr, self.strength, sums)
        return sums


def regularization_weights(matrix: csr_array[np.float32], settings: AlsSettings) -> NDArray[np.float64]:
    """Return λ of each row of `matrix`, `(n_rows,)`: λ·(n + α0·n_columns)^ν with n its interactions."""
    n_rows, n_columns = matrix.shape
    seen = np.diff(matrix.indptr) + settings.unobserved_weight * n_columns
    weights: NDArray[np.float64] = settings.regularization * seen**settings.regularization_exponent
    assert weights.shape == (n_rows,)
    return weights
