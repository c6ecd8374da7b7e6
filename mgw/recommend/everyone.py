"""Recommendations for every user: all events are held, as in training, but the lists of some thousand users only.

The answers are those of `Recommender`, which asks for one user: everybody is folded in from the events of this moment,
what may not be recommended is left out, and a user of whom nothing is known gets what most people watch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from mgw.core.progress import SILENT
from mgw.recommend.als.solver import solve_users
from mgw.recommend.eligibility import EVERY_TITLE
from mgw.recommend.interactions import strength_matrix
from mgw.recommend.ranking import best_columns
from mgw.recommend.recommender import RecommendationType, require_names
from mgw.recommend.snapshot import settings_of
from mgw.recommend.split import seen_matrix

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from numpy.typing import NDArray

    from mgw.core.artifacts import Snapshot
    from mgw.core.progress import Progress
    from mgw.recommend.eligibility import Eligibility
    from mgw.recommend.source import TrainingData

_USERS = 8192
"""Users answered at once."""


class Lists(NamedTuple):
    """The lists of some users, a row for each title of each list.

    Attributes:
        user_ids: the callers' ids, UTF-8, `(m,)`.
        ranks: places on the list, from 1, `(m,)`.
        content_ids: the callers' ids, UTF-8, `(m,)`.
        scores: as `Recommendation` has them, `(m,)`.
        types: names of `RecommendationType`, `(m,)`.
    """

    user_ids: NDArray[np.bytes_]
    ranks: NDArray[np.int32]
    content_ids: NDArray[np.bytes_]
    scores: NDArray[np.float32]
    types: NDArray[np.str_]


def recommend_everyone(
    data: TrainingData,
    snapshot: Snapshot,
    top_k: int,
    *,
    eligibility: Eligibility = EVERY_TITLE,
    threads: int = 0,
    progress: Progress = SILENT,
) -> Iterator[Lists]:
    """Yield the lists of all users, in the order of the database, some thousands at a time.

    Args:
        data: all events.
        snapshot: of ALS.
        top_k: length of the lists; shorter where no more may be recommended.
        eligibility: which titles may be recommended.
        threads: how many; 0 means one for each CPU that this process may use.
        progress: told of each user answered.

    Raises:
        ModelForeign: the snapshot does not name its titles.
    """
    require_names(snapshot)
    settings = settings_of(snapshot)
    content_ids, viewers = snapshot.array("content_ids"), snapshot.array("viewers")
    all_factors = snapshot.array("item_factors")
    open_columns = np.flatnonzero(all_factors.any(axis=1) & eligibility.mask(content_ids))
    factors, listable = np.ascontiguousarray(all_factors[open_columns]), content_ids[open_columns]
    strengths = _moved(strength_matrix(data.events), _places(data.content_ids, content_ids), len(content_ids))
    unlisted = csr_array((len(data.user_ids), len(listable)), dtype=np.bool_)
    if not eligibility.watched:
        unlisted = _moved(seen_matrix(data.events), _places(data.content_ids, listable), len(listable))
    n_users = max(int(snapshot.manifest.data["users"]), 1)
    popularity = (viewers[open_columns] / n_users).astype(np.float32)[:, None]  # (n_listable, 1)
    popularity[popularity == 0] = -np.inf  # what nobody watched is not popular
    with progress.stage("recommending", len(data.user_ids)) as stage:
        for start in range(0, len(data.user_ids), _USERS):
            rows = slice(start, start + _USERS)
            hidden = unlisted[rows]
            users = solve_users(strengths[rows], all_factors, settings, threads=threads)
            known = np.asarray(users.any(axis=1))
            columns, scores = best_columns(users, factors, top_k, hidden, threads=threads)
            cold = np.flatnonzero(~known)
            alike = np.ones((len(cold), 1), dtype=np.float32)
            columns[cold], scores[cold] = best_columns(alike, popularity, top_k, hidden[cold], threads=threads)
            yield _lists(data.user_ids[rows], listable, columns, scores, known)
            stage.advance(len(users))


def _lists(
    user_ids: NDArray[np.bytes_],
    content_ids: NDArray[np.bytes_],
    columns: NDArray[np.int32],
    scores: NDArray[np.float32],
    known: NDArray[np.bool_],
) -> Lists:
    users, ranks = np.nonzero(columns >= 0)
    types = np.where(known, RecommendationType.COLLABORATIVE.value, RecommendationType.COLD_START.value)
    listed = columns[users, ranks]
    return Lists(user_ids[users], (ranks + 1).astype(np.int32), content_ids[listed], scores[users, ranks], types[users])


def _places(wanted: NDArray[np.bytes_], known: NDArray[np.bytes_]) -> NDArray[np.int64]:
    """Return where each of `wanted` is in `known`, -1 where it is not."""
    where = {identifier: place for place, identifier in enumerate(known.tolist())}
    return np.array([where.get(identifier, -1) for identifier in wanted.tolist()], dtype=np.int64)


def _moved(matrix: csr_array[Any], places: NDArray[np.int64], n_columns: int) -> csr_array[Any]:
    """Give each column its place; what has none, a title that the snapshot does not know, is left out."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    columns = places[matrix.indices]
    kept = columns >= 0
    return csr_array((matrix.data[kept], (rows[kept], columns[kept])), shape=(matrix.shape[0], n_columns))
