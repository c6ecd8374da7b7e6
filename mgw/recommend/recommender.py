"""From a model snapshot and one user's history to titles with reasons.

Nothing but the item side of the snapshot is read: a user's vector is folded in from the history at hand, so events
that are newer than the training count at once, and a user whom the training never saw is answered like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from mgw.core.errors import ContentUnknown, ModelForeign
from mgw.recommend.eligibility import EVERY_TITLE
from mgw.recommend.foldin import FoldIn
from mgw.recommend.snapshot import settings_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgw.core.artifacts import Snapshot
    from mgw.recommend.eligibility import Eligibility
    from mgw.recommend.history import History


class RecommendationType(StrEnum):
    """Where a recommendation comes from."""

    COLLABORATIVE = "collaborative"
    CONTENT_BASED = "content_based"
    GRAPH_BASED = "graph_based"
    CONTEXT_AWARE = "context_aware"
    HYBRID = "hybrid"
    COLD_START = "cold_start"


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One title for one user.

    Attributes:
        content_id: the caller's id of the title.
        score: collaborative: the predicted preference, about 0 to 1. Cold start: the share of users who watched it.
        type: where it comes from.
        based_on: ids of the watched titles that carry the score, the largest share first.
    """

    content_id: str
    score: float
    type: RecommendationType
    based_on: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Similar:
    """One title beside another; the similarity is the cosine of their factors, -1 to 1."""

    content_id: str
    similarity: float


class Recommender:
    """Answers from one snapshot.

    Raises:
        ModelForeign: the snapshot does not name its titles.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        require_names(snapshot)
        self.snapshot = snapshot
        self._content_ids: NDArray[np.bytes_] = snapshot.array("content_ids")
        self._viewers: NDArray[np.int64] = snapshot.array("viewers")
        self._fold_in = FoldIn(
            snapshot.array("item_factors"),
            settings_of(snapshot),
            snapshot.array("gram"),
        )
        self._unlistable = ~np.asarray(self._fold_in.item_factors.any(axis=1))
        self._column = {content_id.decode(): column for column, content_id in enumerate(self._content_ids)}

    def recommend(
        self, history: History, top_k: int, *, reasons: int, eligibility: Eligibility = EVERY_TITLE
    ) -> list[Recommendation]:
        """Recommend titles, as a rule those that the user has not met yet.

        Args:
            history: of the user; without positive evidence the answer is what most people watch.
            top_k: how many titles; the list is shorter where no more may be recommended.
            reasons: how many watched titles to name for each, at most.
            eligibility: which titles may be recommended.
        """
        closed = self._closed(eligibility, history)
        known = [content_id in self._column for content_id in history.liked]
        items = self._columns(history.liked)
        strength = history.strength[known]
        if len(items) == 0 or not np.any(self._fold_in.item_factors[items]):
            return self._popular(closed, top_k)
        scores = self._fold_in.item_factors @ self._fold_in.user_factors(items, strength).astype(np.float32)
        chosen = _best(scores, closed, top_k)
        shares = self._fold_in.contributions(items, strength, chosen)
        return [
            Recommendation(
                self._id(column),
                float(scores[column]),
                RecommendationType.COLLABORATIVE,
                self._carriers(items, row, reasons),
            )
            for column, row in zip(chosen, shares, strict=True)
        ]

    def similar(self, content_id: str, top_k: int, *, eligibility: Eligibility = EVERY_TITLE) -> list[Similar]:
        """Find the titles whose viewers are most like those of another, of those that may be recommended.

        Raises:
            ContentUnknown: the snapshot has no such title, or nothing was known of it when the model was trained.
        """
        column = self._column.get(content_id)
        if column is None or self._unlistable[column]:
            raise ContentUnknown(
                f"the model {self.snapshot.manifest.name} does not know {content_id}",
                hint="train again: `mgw train als`",
            )
        factors = np.asarray(self._fold_in.item_factors)
        norms = np.linalg.norm(factors, axis=1)
        cosine = factors @ factors[column] / np.maximum(norms * norms[column], np.finfo(np.float32).tiny)
        closed = self._closed(eligibility)
        closed[column] = True
        chosen = _best(cosine, closed, top_k)
        return [Similar(self._id(other), float(cosine[other])) for other in chosen]

    def _closed(self, eligibility: Eligibility, history: History | None = None) -> NDArray[np.bool_]:
        """Say of each title whether it is not to be listed: not eligible, without factors, or met by the user."""
        closed: NDArray[np.bool_] = ~eligibility.mask(self._content_ids) | self._unlistable
        if history is not None and not eligibility.watched:
            closed[self._columns(history.seen)] = True
        return closed

    def _popular(self, closed: NDArray[np.bool_], top_k: int) -> list[Recommendation]:
        n_users = max(int(self.snapshot.manifest.data["users"]), 1)
        chosen = _best(self._viewers.astype(np.float32), closed | (self._viewers == 0), top_k)
        return [
            Recommendation(self._id(column), float(self._viewers[column] / n_users), RecommendationType.COLD_START, ())
            for column in chosen
        ]

    def _columns(self, content_ids: tuple[str, ...]) -> NDArray[np.int64]:
        found = (self._column.get(content_id) for content_id in content_ids)
        return np.array([column for column in found if column is not None], dtype=np.int64)

    def _id(self, column: int) -> str:
        return bytes(self._content_ids[column]).decode()

    def _carriers(self, items: NDArray[np.int64], shares: NDArray[np.float64], reasons: int) -> tuple[str, ...]:
        order = np.argsort(-shares, kind="stable")[:reasons]
        return tuple(self._id(items[place]) for place in order if shares[place] > 0)


def require_names(snapshot: Snapshot) -> None:
    """Make sure that a snapshot says which titles its columns are: one of `ALS.save` knows a matrix only.

    Raises:
        ModelForeign: it does not.
    """
    if "content_ids" not in snapshot.manifest.arrays:
        raise ModelForeign(
            f"the model {snapshot.manifest.name} does not say which titles its columns are: it is not of `mgw train`",
            hint="`mgw models use` another, or make one: `mgw train als`",
        )


def _best(scores: NDArray[np.float32], closed: NDArray[np.bool_], top_k: int) -> NDArray[np.int64]:
    """Return the columns with the highest scores, best first, ties by column; fewer where not enough are left."""
    open_scores = np.where(closed, -np.inf, scores)
    top_k = min(top_k, len(closed) - int(closed.sum()))
    return np.argsort(-open_scores, kind="stable")[:top_k]
