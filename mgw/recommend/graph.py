"""The graph source: titles that share genres, people and themes with those watched last, and similar users' titles.

    titles  c_i = Σ_field weight · similarity_i                         of genres, cast, directors, themes
    users   v_i = decay · Σ_u sim_u · completion_ui / Σ_u sim_u         over the similar users
    score   s_i = share · c_i + (1 - share) · v_i                       0 to 1

Each of the seven queries answers for all seeds at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mgw.core.database import queries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.settings import GraphSettings


@dataclass(frozen=True, slots=True)
class GraphScores:
    """What the graph says to one user, both halves weighted already.

    Attributes:
        by_titles: share · c, `(n_items,)`.
        by_users: (1 - share) · v, `(n_items,)`.
    """

    by_titles: NDArray[np.float64]
    by_users: NDArray[np.float64]

    @property
    def total(self) -> NDArray[np.float64]:
        """The score of every title, 0 to 1, `(n_items,)`."""
        return self.by_titles + self.by_users


@dataclass(frozen=True, slots=True)
class GraphSource:
    """Asks one database for the titles of one snapshot.

    Attributes:
        columns: the snapshot's column of a title by the database's own id.
        viewers: how many users watched each title, `(n_items,)`.
        n_users: how many there are.
        settings: what to ask for, and the weights.
    """

    columns: Mapping[int, int]
    viewers: NDArray[np.int64]
    n_users: int
    settings: GraphSettings

    def scores(self, connection: Connection[TupleRow], user_id: str) -> GraphScores:
        """Score every title for the user with the caller's id `user_id`."""
        history = queries.graph_watch_history(connection, user_id=user_id, top_k=self.settings.seeds)
        seeds = [row.content_id for row in history]
        if not seeds:
            return GraphScores(np.zeros(len(self.viewers)), np.zeros(len(self.viewers)))
        share = self.settings.content_share
        return GraphScores(
            share * self._by_column(self._like_seeds(connection, seeds)),
            (1 - share) * self._by_column(self._of_similar_users(connection, user_id, seeds)),
        )

    def _like_seeds(self, connection: Connection[TupleRow], seeds: list[int]) -> dict[int, float]:
        settings, k = self.settings, self.settings.per_query
        weighted = (
            (settings.genre, queries.graph_genre_similar(connection, seed_ids=seeds, top_k=k)),
            (settings.cast, queries.graph_cast_similar(connection, seed_ids=seeds, billed=settings.billed, top_k=k)),
            (settings.director, queries.graph_director_similar(connection, seed_ids=seeds, top_k=k)),
            (settings.theme, queries.graph_theme_similar(connection, seed_ids=seeds, top_k=k)),
        )
        scores: dict[int, float] = {}
        for weight, rows in weighted:
            for content_id, similarity in rows:
                scores[content_id] = scores.get(content_id, 0.0) + weight * similarity
        return scores

    def _of_similar_users(self, connection: Connection[TupleRow], user_id: str, seeds: list[int]) -> dict[int, float]:
        settings = self.settings
        similar = queries.graph_similar_users(
            connection,
            user_id=user_id,
            seed_ids=seeds,
            seed_weights=[self._rarity(seed) for seed in seeds],
            viewers_per_seed=settings.viewers_per_seed,
            minimum_completion=settings.minimum_completion,
            minimum_in_common=settings.minimum_in_common,
            top_k=settings.similar_users,
        )
        similarity = {row.user_id: row.similarity for row in similar}
        total = sum(similarity.values())
        if total <= 0:
            return {}
        watched = queries.graph_highly_rated(
            connection,
            user_ids=list(similarity),
            minimum_completion=settings.minimum_completion,
            events_per_user=settings.events_per_user,
            per_user=settings.per_user,
        )
        scores: dict[int, float] = {}
        for row in watched:
            assert row.user_id is not None
            vote = settings.user_decay * similarity[row.user_id] * row.completion_rate / total
            scores[row.content_id] = scores.get(row.content_id, 0.0) + vote
        return scores

    def _rarity(self, content_id: int) -> float:
        column = self.columns.get(content_id)
        viewers = 1 if column is None else max(int(self.viewers[column]), 1)
        return float(np.log1p(self.n_users / viewers))

    def _by_column(self, scores: Mapping[int, float]) -> NDArray[np.float64]:
        found = np.zeros(len(self.viewers))
        for content_id, score in scores.items():
            if (column := self.columns.get(content_id)) is not None:
                found[column] = score
        return found
