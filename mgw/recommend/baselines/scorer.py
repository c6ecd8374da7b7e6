"""What `evaluate` asks of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Scorer(Protocol):
    """Anything that can say how well each title suits each user."""

    def scores(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score all titles for some users, `(len(users),)`: higher is better, `(len(users), n_items)`."""
