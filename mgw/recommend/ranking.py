"""The best titles of many users at once: scores are made tile by tile, and only what may still count is looked at.

Scores of all users for all titles would fill memory many times over, and to sort them costs more than to make them. A
tile of some users and titles stays in the cache; of each row, stretches whose largest score does not reach the worst of
the best so far are passed over after one comparison.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from threadpoolctl import threadpool_limits

from mgw.core.errors import ParametersInvalid
from mgw.recommend.threads import numba_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

_USERS, _ITEMS, _STRETCH = 64, 1024, 64


def best_columns(
    users: NDArray[np.float32],
    items: NDArray[np.float32],
    top_k: int,
    excluded: csr_array[Any] | None = None,
    *,
    threads: int = 0,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """List the `top_k` items with the largest dot product with each user; of equal ones the lower column is better.

    Args:
        users: factors, `(n, d)`.
        items: factors, `(n_items, d)`.
        top_k: length of the lists.
        excluded: the stored entries of each row are not listed, `(n, n_items)`; none excludes nothing.
        threads: how many; 0 means one for each CPU that this process may use.

    Returns:
        Columns, `(n, top_k)`, best first, and their scores; -1 and -inf where a row has no column left.

    Raises:
        ParametersInvalid: a length below 1, or something to exclude that has another shape.
    """
    if top_k < 1:
        raise ParametersInvalid(f"a list cannot have {top_k} places", hint="at least 1")
    require_shape(excluded, (len(users), len(items)))
    columns = np.full((len(users), top_k), -1, dtype=np.int32)
    scores = np.full((len(users), top_k), -np.inf, dtype=np.float32)
    if excluded is None:
        indptr, indices = np.zeros(len(users) + 1, dtype=np.int64), np.zeros(0, dtype=np.int32)
    else:
        excluded = excluded.sorted_indices()
        indptr, indices = excluded.indptr.astype(np.int64, copy=False), excluded.indices.astype(np.int32, copy=False)
    x, y = (np.ascontiguousarray(each, dtype=np.float32) for each in (users, items))
    with threadpool_limits(1, user_api="blas"), numba_threads(threads):
        _scan(x, y, indptr, indices, columns, scores)
    return columns, scores


def require_shape(excluded: csr_array[Any] | None, shape: tuple[int, int]) -> None:
    """Make sure that what is to be excluded has a row for each user and a column for each item.

    Raises:
        ParametersInvalid: it has not.
    """
    if excluded is not None and excluded.shape != shape:
        raise ParametersInvalid(
            f"what to exclude has the shape {excluded.shape}, not {shape}",
            hint="one row for each user of the list, in its order: matrix[users]",
        )


@numba.njit(cache=True, parallel=True, fastmath={"contract", "nsz", "nnan"})
def _scan(
    users: NDArray[np.float32],
    items: NDArray[np.float32],
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    columns: NDArray[np.int32],
    scores: NDArray[np.float32],
) -> None:  # pragma: no cover - compiled
    n_users, n_items, top_k = len(users), len(items), columns.shape[1]
    for block in numba.prange((n_users + _USERS - 1) // _USERS):
        first = block * _USERS
        n = min(_USERS, n_users - first)
        x = users[first : first + n]
        tile = np.empty((n, min(_ITEMS, n_items)), dtype=np.float32)
        passed = np.empty(n, dtype=np.int64)
        for r in range(n):
            passed[r] = indptr[first + r]
        for start in range(0, n_items, _ITEMS):
            width = min(_ITEMS, n_items - start)
            if width < tile.shape[1]:
                tile = np.empty((n, width), dtype=np.float32)
            np.dot(x, items[start : start + width].T, tile)
            for r in range(n):
                row = first + r
                position = passed[r]
                while position < indptr[row + 1] and indices[position] < start + width:
                    tile[r, indices[position] - start] = -np.inf
                    position += 1
                passed[r] = position
                _pick(tile[r], start, columns[row], scores[row], top_k)


@numba.njit(cache=True, fastmath={"contract", "nsz", "nnan", "reassoc"})
def _pick(
    row: NDArray[np.float32], start: int, columns: NDArray[np.int32], scores: NDArray[np.float32], top_k: int
) -> None:  # pragma: no cover - compiled
    """Insert what is better than the worst of the best into `scores`, which are sorted, and `columns`."""
    least = scores[top_k - 1]
    for begin in range(0, len(row), _STRETCH):
        end = min(begin + _STRETCH, len(row))
        largest = row[begin]
        for k in range(begin + 1, end):
            largest = max(largest, row[k])
        if largest <= least:
            continue
        for k in range(begin, end):
            score = row[k]
            if score > least:
                place = top_k - 1
                while place > 0 and scores[place - 1] < score:
                    scores[place], columns[place] = scores[place - 1], columns[place - 1]
                    place -= 1
                scores[place], columns[place] = score, start + k
                least = scores[top_k - 1]
