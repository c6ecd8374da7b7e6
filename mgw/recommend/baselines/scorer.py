"""What `evaluate` asks of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.sparse import csr_array


class Scorer(Protocol):
    """Anything that can say how well each title suits each user."""

    def given(self, histories: csr_array[np.float32]) -> Self:
        """Return the same model for other users, who are known by their strengths alone, `(n, n_items)`."""

    def scores(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score all titles for some users, `(len(users),)`: higher is better, `(len(users), n_items)`."""
