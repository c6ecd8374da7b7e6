"""Ranking metrics over the full catalogue: what a list of the k best-scored titles is worth to each user.

Nothing is sampled: every title the user has not seen in training competes (sampled metrics can order models wrongly;
Krichene & Rendle 2020, "On sampled metrics for item recommendation"). With hit(r) = 1 where the title at rank r was
held out and H how many titles of the user were held out:

    DCG@k       = Σ_{r ≤ k} hit(r) / log2(r + 1)             Järvelin & Kekäläinen 2002; the discount of Burges 2005
    NDCG@k      = DCG@k / Σ_{r ≤ min(H, k)} 1 / log2(r + 1)  so that the best list there can be has 1
    Recall@k    = Σ_{r ≤ k} hit(r) / H
    Precision@k = Σ_{r ≤ k} hit(r) / k
    MAP@k       = Σ_{r ≤ k} hit(r) Precision@r / min(H, k)   mean average precision (Manning et al. 2008, section 8.4)
    MRR@k       = 1 / the first rank r ≤ k with a hit, 0 without one           mean reciprocal rank (Voorhees 1999)
    Hit rate@k  = 1 with a hit at a rank r ≤ k, else 0
    Novelty@k   = mean over the list of -log2 p(i)           Zhou et al. 2010, "surprisal"; Vargas & Castells 2011
                  p(i) = the share of all train pairs that are with title i
    Diversity@k = 1 - the mean cosine of two titles of the list by who watched them (Ziegler et al. 2005, "intra-list")
    Coverage@k  = different titles on all lists / n_items    Ge et al. 2010, "catalogue coverage"
    Gini@k      = how unequally the places on all lists are shared out over the catalogue: 0 if every title has as
                  many, near 1 if one has all (Fleder & Hosanagar 2009)

Recall divides by H and not by min(H, k) (as Liang et al. 2018 do): it is the share of what the user went on to like,
it never falls as k grows, and it is what the published tables we compare with report. Its price is a ceiling below 1
for users with H > k. Precision divides by k even where the list is shorter: an empty place is a place without a hit.

Lists are `(n, k)` columns, best first, -1 in places for which there was no title left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

_LOW_BITS = np.int64(0xFFFFFFFF)
_NEVER = np.iinfo(np.int64).min
_CELLS = 2**21
"""Cosines held at once, so that memory is bounded however many titles are listed."""


def top_columns(scores: NDArray[np.float32], excluded: csr_array[Any] | None, k: int) -> NDArray[np.int32]:
    """List the `k` best columns of each row; of equal scores the lower column is better.

    Args:
        scores: `(n, n_items)`, no NaN.
        excluded: the stored entries of each row are not listed, `(n, n_items)`; none excludes nothing.
        k: length of the lists.

    Returns:
        Columns, `(n, k)`, best first, -1 where a row has no column left.

    >>> top_columns(np.array([[0.5, 0.9, 0.9, 0.1]], dtype=np.float32), None, 3).tolist()
    [[1, 2, 0]]
    """
    n, n_items = scores.shape
    # Score and column become one integer, so that a partition (which leaves ties to chance) has no ties to break: the
    # bits of a float order like an integer once those of the negative ones are flipped. Adding 0 turns -0.0 into 0.0.
    bits = (scores.astype(np.float32, copy=False) + np.float32(0)).view(np.int32)
    keys = (bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))).astype(np.int64)
    keys <<= 32
    keys += _LOW_BITS - np.arange(n_items)
    if excluded is not None:
        keys[np.repeat(np.arange(n), np.diff(excluded.indptr)), excluded.indices] = _NEVER

    listed = min(k, n_items)
    if listed < n_items:
        keys = np.partition(keys, n_items - listed, axis=1)[:, n_items - listed :]
    best = np.sort(keys, axis=1)[:, ::-1]
    columns = np.full((n, k), -1, dtype=np.int32)
    columns[:, :listed] = np.where(best == _NEVER, -1, _LOW_BITS - (best & _LOW_BITS))
    return columns


def find_hits(lists: NDArray[np.int32], relevant: csr_array[Any]) -> NDArray[np.bool_]:
    """Mark the places of `lists`, `(n, k)`, whose title is stored in the same row of `relevant`, `(n, n_items)`."""
    n, n_items = relevant.shape
    rows = np.arange(n, dtype=np.int64)
    listed = rows[:, None] * n_items + lists
    wanted = np.repeat(rows, np.diff(relevant.indptr)) * n_items + relevant.indices
    # An empty place, -1, would otherwise name the last title of the row above.
    return np.isin(listed, wanted) & (lists >= 0)


def ndcg(hits: NDArray[np.bool_], n_relevant: NDArray[np.int64]) -> NDArray[np.float64]:
    """NDCG@k of each user from `hits`, `(n, k)`, and how many titles were held out, at least 1, `(n,)`.

    >>> ndcg(np.array([[False, True, True]]), np.array([2])).round(4).tolist()
    [0.6934]
    """
    k = hits.shape[1]
    discount = 1 / np.log2(np.arange(k) + 2)
    ideal = np.cumsum(discount)[np.minimum(n_relevant, k) - 1]
    share: NDArray[np.float64] = (hits @ discount) / ideal
    return share


def recall(hits: NDArray[np.bool_], n_relevant: NDArray[np.int64]) -> NDArray[np.float64]:
    """Recall@k of each user from `hits`, `(n, k)`, and how many titles were held out, at least 1, `(n,)`.

    >>> recall(np.array([[False, True, True]]), np.array([5])).tolist()
    [0.4]
    """
    share: NDArray[np.float64] = np.count_nonzero(hits, axis=1) / n_relevant
    return share


def precision(hits: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Precision@k of each user from `hits`, `(n, k)`.

    >>> precision(np.array([[False, True, False, False]])).tolist()
    [0.25]
    """
    share: NDArray[np.float64] = np.count_nonzero(hits, axis=1) / hits.shape[1]
    return share


def average_precision(hits: NDArray[np.bool_], n_relevant: NDArray[np.int64]) -> NDArray[np.float64]:
    """Average precision@k of each user from `hits`, `(n, k)`, and how many titles were held out, at least 1, `(n,)`.

    >>> average_precision(np.array([[True, False, True]]), np.array([2])).round(4).tolist()
    [0.8333]
    """
    k = hits.shape[1]
    precisions = np.cumsum(hits, axis=1) / np.arange(1, k + 1)
    share: NDArray[np.float64] = (precisions * hits).sum(axis=1) / np.minimum(n_relevant, k)
    return share


def reciprocal_rank(hits: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Reciprocal of the rank of each user's first hit, from `hits`, `(n, k)`; 0 without one.

    >>> reciprocal_rank(np.array([[False, True, True], [False, False, False]])).tolist()
    [0.5, 0.0]
    """
    reciprocal: NDArray[np.float64] = np.asarray(hits.any(axis=1) / (1 + hits.argmax(axis=1)))
    return reciprocal


def hit_rate(hits: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return 1 for each user with a hit in `hits`, `(n, k)`, else 0.

    >>> hit_rate(np.array([[False, True], [False, False]])).tolist()
    [1.0, 0.0]
    """
    found: NDArray[np.float64] = np.asarray(hits.any(axis=1), dtype=np.float64)
    return found


def self_information(matrix: csr_array[Any]) -> NDArray[np.float64]:
    """Bits of surprise of meeting each title, `(n_items,)`, by its share of the stored pairs of `matrix`.

    A title without a pair would be infinitely surprising, and one such title would drown every mean: it counts as if it
    had one.
    """
    pairs = np.maximum(np.bincount(matrix.indices, minlength=matrix.shape[1]), 1)
    bits: NDArray[np.float64] = np.log2(max(matrix.nnz, 1)) - np.log2(pairs)
    return bits


def novelty(lists: NDArray[np.int32], surprise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Novelty@k of each user in bits, from lists `(n, k)` with at least one title and `self_information`, `(n_items,)`.

    >>> novelty(np.array([[0, 1, -1]], dtype=np.int32), np.array([1.0, 4.0])).tolist()
    [2.5]
    """
    filled = lists >= 0
    bits: NDArray[np.float64] = np.where(filled, surprise[lists], 0).sum(axis=1) / np.count_nonzero(filled, axis=1)
    return bits


def coverage(lists: NDArray[np.int32], n_items: int) -> float:
    """Coverage@k: the share of the catalogue's `n_items` titles that stands on somebody's list, `(n, k)`.

    >>> coverage(np.array([[0, 1], [1, -1]], dtype=np.int32), 4)
    0.5
    """
    return len(np.unique(lists[lists >= 0])) / n_items


def unit_columns(matrix: csr_array[Any]) -> csr_array[Any]:
    """Return each title's watchers as a vector of length 1, `(n_items, n_users)`; zero for a title without any."""
    columns = matrix.T.tocsr().astype(np.float64)
    lengths = np.sqrt(columns.multiply(columns).sum(axis=1))
    columns.data /= np.repeat(lengths, np.diff(columns.indptr))
    return columns


def diversity(lists: NDArray[np.int32], vectors: csr_array[Any]) -> NDArray[np.float64]:
    """Intra-list diversity@k of each user, from lists `(n, k)` and the titles' `unit_columns`, `(n_items, n_users)`.

    A list of one title has 0: there is nothing that differs. Titles without watchers are unlike all others.

    >>> from scipy.sparse import csr_array
    >>> diversity(np.array([[0, 1], [0, 2]], dtype=np.int32), csr_array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])).tolist()
    [1.0, 0.0]
    """
    n, k = lists.shape
    first, second = np.triu_indices(k, 1)
    one, other = lists[:, first].ravel(), lists[:, second].ravel()  # both titles of each pair of places
    pairs = np.flatnonzero((one >= 0) & (other >= 0))
    pairs = pairs[np.argsort(one[pairs], kind="stable")]
    listed, other_at = np.unique(other[pairs], return_inverse=True)
    near = vectors[listed].T.tocsr()
    total = np.zeros(n)
    block = max(1, _CELLS // max(len(listed), 1))
    for start in range(0, vectors.shape[0], block):
        mine = slice(*np.searchsorted(one[pairs], (start, start + block)))
        if mine.start < mine.stop:
            cosines = (vectors[start : start + block] @ near).toarray()  # (block, titles that are second in a pair)
            found = cosines[one[pairs[mine]] - start, other_at[mine]]
            total += np.bincount(pairs[mine] // len(first), weights=found, minlength=n)
    count = np.bincount(pairs // max(len(first), 1), minlength=n)
    different: NDArray[np.float64] = np.where(count > 0, 1 - total / np.maximum(count, 1), 0.0)
    return different


def gini(lists: NDArray[np.int32], n_items: int) -> float:
    """Gini@k of how often each of the catalogue's `n_items` titles stands on a list, `(n, k)`.

    >>> gini(np.array([[0, 1], [1, 0]], dtype=np.int32), 2), gini(np.array([[0], [0]], dtype=np.int32), 4)
    (0.0, 0.75)
    """
    places = np.sort(np.bincount(lists[lists >= 0], minlength=n_items))
    ranks = 2 * np.arange(1, n_items + 1) - n_items - 1
    return float((ranks @ places) / (n_items * max(int(places.sum()), 1)))
