"""Baselines: what a model must beat before its complexity is worth anything.

`Popularity` recommends to everybody what most people liked. `ItemKNN` recommends what is watched together with what
the user liked; well tuned, it beats many a published neural model (Dacrema, Cremonesi & Jannach 2019, "Are we really
making much progress?"). Both are made by `fit` and never change afterwards, and both are a `Scorer`, which is all that
`evaluate` asks of a model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from scipy.sparse import csr_array

from mgw.recommend.metrics import top_columns

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

_BLOCK_CELLS = 2**22
"""Similarities held at once, so that memory is bounded however large the catalogue is."""


class Scorer(Protocol):
    """Anything that can say how well each title suits each user."""

    def scores(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score all titles for some users, `(len(users),)`: higher is better, `(len(users), n_items)`."""


@dataclass(frozen=True, slots=True)
class Popularity:
    """The same list for everybody: titles by how many users like them.

    Attributes:
        likes: users with positive strength for each title, `(n_items,)`.
    """

    likes: NDArray[np.float32]

    @classmethod
    def fit(cls, matrix: csr_array[np.float32]) -> Self:
        """Count the positive strengths of `matrix`, `(n_users, n_items)`, for each title."""
        liked = matrix.indices[matrix.data > 0]
        return cls(np.bincount(liked, minlength=matrix.shape[1]).astype(np.float32))

    def scores(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score all titles for `users`, `(len(users), n_items)`."""
        return np.broadcast_to(self.likes, (len(users), len(self.likes)))


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
        n_items = matrix.shape[1]
        columns = csr_array(matrix.T)
        norms = np.sqrt(columns.multiply(columns).sum(axis=1)).astype(np.float32)
        block = max(1, _BLOCK_CELLS // n_items)
        parts = []
        for start in range(0, n_items, block):
            stop = min(start + block, n_items)
            overlap = (columns[start:stop] @ matrix).toarray()  # (block, n_items)
            # Where nobody liked both there is nothing to divide, and without shrinkage perhaps nothing to divide by.
            shrunk = norms[start:stop, None] * norms + np.float32(shrinkage)
            similarity = np.divide(overlap, shrunk, out=overlap, where=overlap > 0)
            parts.append(_nearest(similarity, start, neighbours))
        titles, near, likeness = (np.concatenate(part) for part in zip(*parts, strict=True))
        return cls(matrix, csr_array((likeness, (near, titles)), shape=(n_items, n_items)))

    def scores(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score all titles for `users`, `(len(users), n_items)`."""
        return (self.matrix[users] @ self.similarity).toarray()


def _nearest(
    similarity: NDArray[np.float32], start: int, neighbours: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """List the neighbours of the titles from `start` on, the rows of `similarity`, `(block, n_items)`.

    Returns:
        Title, neighbour and similarity of each entry of a sparse matrix, each `(n_entries,)`.
    """
    titles = np.arange(start, start + len(similarity))
    similarity[titles - start, titles] = 0  # a title is no neighbour of its own: that would only echo the history
    near = top_columns(similarity, None, neighbours)  # (block, neighbours)
    likeness = np.take_along_axis(similarity, near, axis=1)
    kept = (near >= 0) & (likeness > 0)
    return np.repeat(titles, np.count_nonzero(kept, axis=1)), near[kept], likeness[kept]
