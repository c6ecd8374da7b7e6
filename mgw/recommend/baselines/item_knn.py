"""Item-kNN: recommended is what is watched together with what the user liked."""

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
class ItemKNN:
    """Titles by their likeness to what the user liked (Sarwar et al. 2001, "Item-based collaborative filtering").

        s_ij     = r_i · r_j / (|r_i| |r_j| + shrinkage)     Dacrema et al. 2019, on ItemKNN; r_i: the column of title i
        score_uj = Σ_{i ∈ N(j)} r_ui s_ij                    N(j): the titles most similar to j

    Attributes:
        matrix: what users liked, `(n_users, n_items)`.
        similarity: s_ij in column j for the neighbours i of j, nothing elsewhere, `(n_items, n_items)`.
    """

    matrix: csr_array[np.float32]
    similarity: csr_array[np.float32]

    @classmethod
    def fit(cls, matrix: csr_array[np.float32], *, neighbours: int = 100, shrinkage: float = 10.0) -> Self:
        """Find the neighbours of every title.

        Args:
            matrix: strengths, `(n_users, n_items)`.
            neighbours: how many similar titles may speak for one; of equally similar ones the lower columns.
            shrinkage: pulls similarities that rest on few users towards 0; in units of |r_i| |r_j|.
        """
        columns = csr_array(matrix.T)
        norms = np.sqrt(columns.multiply(columns).sum(axis=1)).astype(np.float32)

        def similarity(start: int, stop: int) -> NDArray[np.float32]:
            overlap = (columns[start:stop] @ matrix).toarray()  # (block, n_items)
            # Where nobody liked both there is nothing to divide, and without shrinkage perhaps nothing to divide by.
            shrunk = norms[start:stop, None] * norms + np.float32(shrinkage)
            likeness: NDArray[np.float32] = np.divide(overlap, shrunk, out=overlap, where=overlap > 0)
            return likeness

        return cls(matrix, csr_array(nearest(similarity, matrix.shape[1], neighbours).T))

    def given(self, histories: csr_array[np.float32]) -> Self:
        """Return the same model for other users, who are known by their strengths alone, `(n, n_items)`."""
        return replace(self, matrix=histories)

    def scores(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score all titles for `users`, `(len(users), n_items)`."""
        return (self.matrix[users] @ self.similarity).toarray()
