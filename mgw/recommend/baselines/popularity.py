"""Popularity: everybody is recommended what most people liked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray
    from scipy.sparse import csr_array


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

    def given(self, histories: csr_array[np.float32]) -> Self:  # noqa: ARG002 - a Scorer
        """Return the same model: it knows nothing of users."""
        return self

    def scores(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score all titles for `users`, `(len(users), n_items)`."""
        return np.broadcast_to(self.likes, (len(users), len(self.likes)))
