"""The most similar titles of each title, block by block, so that memory is bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from mgw.recommend.metrics import top_columns

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

BLOCK_CELLS = 2**22
"""Similarities held at once."""


def nearest(
    similarity: Callable[[int, int], NDArray[np.float32]], n_items: int, neighbours: int
) -> csr_array[np.float32]:
    """Keep of each title the neighbours that are most similar to it, and of equally similar ones the lower columns.

    Args:
        similarity: makes the rows from the first title up to, not including, the second: `(block, n_items)`, which may
            be written to. What is not positive is no likeness.
        n_items: how many titles there are.
        neighbours: how many to keep.

    Returns:
        Row by row the similarities that were kept, `(n_items, n_items)`; a title is no neighbour of its own: that
        would only echo the history.
    """
    block = max(1, BLOCK_CELLS // n_items)
    parts = []
    for start in range(0, n_items, block):
        stop = min(start + block, n_items)
        rows, titles = similarity(start, stop), np.arange(start, stop)
        rows[titles - start, titles] = 0
        near = top_columns(rows, None, neighbours)  # (block, neighbours)
        likeness = np.take_along_axis(rows, near, axis=1)
        kept = (near >= 0) & (likeness > 0)
        parts.append((np.repeat(titles, np.count_nonzero(kept, axis=1)), near[kept], likeness[kept]))
    titles, near, likeness = (np.concatenate(part) for part in zip(*parts, strict=True))
    return csr_array((likeness, (titles, near)), shape=(n_items, n_items))
