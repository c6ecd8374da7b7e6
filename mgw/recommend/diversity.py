"""From scores to a list: titles that are good and unlike each other, and now and then one that is drawn.

    next = argmax_i (1 - t) · r_i - t · max_{j on the list} E_i · E_j        r: scores of the pool, brought to 0 … 1

Carbonell & Goldstein (1998), "The use of MMR", with t the threshold. Both terms are on the scale of 0 to 1. A title one
of whose genres has had its share of the list is passed over while the pool has others. With exploration ε, each place
goes with chance ε to one of the pool's titles that are left, all equally likely; the chance with which the title on a
place had been put there is its propensity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from mgw.core.settings import DiversitySettings


@dataclass(frozen=True, slots=True)
class Slate:
    """A list as it is shown.

    Attributes:
        columns: of the titles, in the order shown, `(k,)`.
        propensities: the chance of each title to be where it is, given those before it, `(k,)`.
        similarity: mean cosine of the list's embeddings over all pairs; 0 for fewer than two titles.
    """

    columns: NDArray[np.int64]
    propensities: NDArray[np.float64]
    similarity: float


def choose_slate(
    scores: NDArray[np.float64],
    listable: NDArray[np.bool_],
    top_k: int,
    *,
    embeddings: NDArray[np.float32],
    genres: csr_array[np.float32],
    settings: DiversitySettings,
    rng: np.random.Generator,
) -> Slate:
    """Choose a list.

    Args:
        scores: of every title, `(n_items,)`.
        listable: which may be listed, `(n_items,)`.
        top_k: how many; fewer where no more may be listed.
        embeddings: rows of unit length, `(n_items, d)`.
        genres: which titles have which, `(n_items, n_genres)`.
        settings: threshold, pool, share of a genre, exploration.
        rng: draws what is explored.
    """
    pool = best(scores, listable, max(settings.pool, top_k))
    top_k = min(top_k, len(pool))
    if settings.threshold == settings.exploration == 0 and settings.genre_share == 1:  # nothing to choose
        return Slate(pool[:top_k], np.ones(top_k), intra_list_similarity(embeddings[pool[:top_k]]))
    relevance = _to_unit(scores[pool])
    vectors = embeddings[pool]
    has = genres[pool].toarray() > 0
    left = np.ones(len(pool), dtype=np.bool_)
    nearest = np.zeros(len(pool))
    taken = np.zeros(has.shape[1], dtype=np.int64)
    most = max(1, math.ceil(settings.genre_share * top_k))
    chosen: list[int] = []
    propensities: list[float] = []
    for _ in range(top_k):
        within = left & ~(has & (taken >= most)).any(axis=1)
        open_places = np.flatnonzero(within if within.any() else left)
        value = (1 - settings.threshold) * relevance[open_places] - settings.threshold * nearest[open_places]
        greedy = int(open_places[np.argmax(value)])
        explore = settings.exploration if settings.exploration and rng.random() < settings.exploration else 0.0
        place = int(rng.choice(np.flatnonzero(left))) if explore else greedy
        uniform = settings.exploration / int(left.sum())
        propensities.append(uniform + (1 - settings.exploration if place == greedy else 0.0))
        chosen.append(place)
        left[place] = False
        taken += has[place]
        nearest = np.maximum(nearest, vectors @ vectors[place])
    return Slate(pool[chosen], np.array(propensities), intra_list_similarity(vectors[chosen]))


def intra_list_similarity(vectors: NDArray[np.float32]) -> float:
    """Return the mean cosine over all pairs of rows of unit length, `(k, d)`; 0 for fewer than two.

    Ziegler, McNee, Konstan & Lausen (2005), "Improving Recommendation Lists Through Topic Diversification", eq. 5.
    """
    k = len(vectors)
    if k < 2:
        return 0.0
    total = vectors.astype(np.float64).sum(axis=0)
    return float((total @ total - np.sum(vectors.astype(np.float64) ** 2)) / (k * (k - 1)))


def best(scores: NDArray[np.float64], listable: NDArray[np.bool_], top_k: int) -> NDArray[np.int64]:
    """Return the columns with the highest scores, best first, ties by column; fewer where not enough are listable."""
    columns = np.flatnonzero(listable)
    if len(columns) > top_k:
        least = np.partition(scores[columns], len(columns) - top_k)[len(columns) - top_k]
        columns = columns[scores[columns] >= least]
    return columns[np.argsort(-scores[columns], kind="stable")][:top_k]


def _to_unit(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    if not len(scores):
        return scores
    low, high = float(scores.min()), float(scores.max())
    return (scores - low) / (high - low) if high > low else np.ones_like(scores)
