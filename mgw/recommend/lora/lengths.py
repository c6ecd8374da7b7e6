"""Users by how many titles they like: those with about as many are judged together."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LENGTHS = (10, 20, 50, 100)
"""Each group likes at least so many, and fewer than the next."""
GROUPS = (
    f"under {LENGTHS[0]}",
    *(f"{start}-{end - 1}" for start, end in pairwise(LENGTHS)),
    f"{LENGTHS[-1]} and more",
)
"""The names of the groups, as `length_groups` numbers them."""


def length_groups(events: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the group of users with so many titles, a place in `GROUPS`, `(n,)`."""
    return np.searchsorted(LENGTHS, events, side="right")
