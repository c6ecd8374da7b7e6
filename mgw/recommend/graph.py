"""The graph source: titles that share genres, people and themes with those watched last, and similar users' titles.

    titles  c_i = Σ_field weight · Σ_{w: i has w} share_w                of genres, cast, directors, themes
            share_w = mean over the seeds with w of rarity_w / Σ_{v: the seed has v} rarity_v
            rarity_w = ln(1 + titles / titles with w)
    users   v_i = decay · Σ_u sim_u · completion_ui / Σ_u sim_u         over the similar users
    score   s_i = share · c_i + (1 - share) · v_i                       0 to 1

Each of the seven queries answers for all seeds at once, and they are sent together, in three round trips: the seeds;
what is like them, and who watched them; what these others watched.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from scipy.sparse import csr_array

from mgw.core.database import queries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray
    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.settings import GraphSettings
    from mgw.recommend.content import Catalogue

FIELDS: Final = {"genre": "genre", "actor": "cast", "director": "director", "theme": "theme"}
"""The fields of a catalogue that the graph weighs, and what `graph.*` and reasons call them."""


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
class FieldWords:
    """What titles say of themselves in one field: genres, actors, directors or themes.

    Attributes:
        has: the rarity of each word that a title has, each row of sum 1, `(n_items, n_words)`.
        words: their texts.
    """

    has: csr_array[np.float64]
    words: list[str]

    @classmethod
    def of(cls, catalogue: Catalogue, field: str) -> Self:
        """Take a field of a catalogue; words that only one title has are not in it, and have no share."""
        features, words = catalogue.field(field)
        titles_with = np.maximum(np.bincount(features.indices, minlength=len(words)), 1)
        rarity = np.log1p(features.shape[0] / titles_with)
        weights = rarity[features.indices]
        per_title = np.bincount(
            np.repeat(np.arange(features.shape[0]), np.diff(features.indptr)), weights, features.shape[0]
        )
        votes = weights / np.repeat(per_title, np.diff(features.indptr))
        return cls(csr_array((votes, features.indices, features.indptr), shape=features.shape), words)

    def shares(self, seeds: NDArray[np.int64]) -> tuple[list[str], list[float]]:
        """Return the words of some titles and the share of their votes that each has."""
        votes = self.has[seeds]
        shares = np.bincount(votes.indices, votes.data, len(self.words)) / max(len(seeds), 1)
        found = np.flatnonzero(shares)
        return [self.words[place] for place in found], shares[found].tolist()


@dataclass(frozen=True, slots=True)
class GraphSource:
    """Asks one database for the titles of one snapshot.

    Attributes:
        columns: the snapshot's column of a title by the database's own id.
        viewers: how many users watched each title, `(n_items,)`.
        n_users: how many there are.
        fields: what the titles share, by what the settings call it.
        settings: what to ask for, and the weights.
    """

    columns: Mapping[int, int]
    viewers: NDArray[np.int64]
    n_users: int
    fields: Mapping[str, FieldWords]
    settings: GraphSettings

    @classmethod
    def of(
        cls,
        columns: Mapping[int, int],
        viewers: NDArray[np.int64],
        n_users: int,
        catalogue: Catalogue,
        settings: GraphSettings,
    ) -> Self:
        """Count the words of the catalogue once for all requests."""
        fields = {name: FieldWords.of(catalogue, field) for field, name in FIELDS.items()}
        return cls(columns, viewers, n_users, fields, settings)

    def scores(self, connection: Connection[TupleRow], user_id: str) -> GraphScores:
        """Score every title for the user with the caller's id `user_id`, in three round trips."""
        with connection.pipeline():
            fetch = self.send(connection, user_id, self.seeds(connection, user_id)())
        return fetch()

    def seeds(self, connection: Connection[TupleRow], user_id: str) -> Callable[[], list[int]]:
        """Ask, in a pipeline, for the titles that a user watched last; return what fetches their ids."""
        fetch = queries.graph_watch_history_pipelined(connection, user_id=user_id, top_k=self.settings.seeds)
        return lambda: [row.content_id for row in fetch()]

    def send(self, connection: Connection[TupleRow], user_id: str, seeds: list[int]) -> Callable[[], GraphScores]:
        """Ask, in a pipeline, for the scores by some seeds; return what fetches them, when the pipeline has ended."""
        if not seeds:
            nothing = np.zeros(len(self.viewers))
            return lambda: GraphScores(nothing, nothing)
        like_seeds = self._like_seeds(connection, seeds)
        similar_users = self._similar_users(connection, user_id, seeds)
        by_users = self._of_similar_users(connection, similar_users())
        share = self.settings.content_share

        def fetch() -> GraphScores:
            by_titles = self._by_column(_weighted_sum(like_seeds, frozenset(seeds), self.settings.per_query))
            return GraphScores(share * by_titles, (1 - share) * self._by_column(by_users()))

        return fetch

    def _like_seeds(
        self, connection: Connection[TupleRow], seeds: list[int]
    ) -> list[tuple[float, Callable[[], Sequence[tuple[int, float]]]]]:
        """Ask for the titles that share something with the seeds; return what fetches each, with its weight."""
        settings, k = self.settings, self.settings.per_query + len(seeds)  # the seeds are among the answers
        columns = np.array([self.columns[seed] for seed in seeds if seed in self.columns], dtype=np.int64)
        words = {name: field.shares(columns) for name, field in self.fields.items()}
        (genres, of_genres), (actors, of_actors) = words["genre"], words["cast"]
        (directors, of_directors), (themes, of_themes) = words["director"], words["theme"]
        by_genre = queries.graph_genre_similar_pipelined(connection, genres=genres, shares=of_genres, top_k=k)
        by_cast = queries.graph_cast_similar_pipelined(
            connection, persons=actors, shares=of_actors, billed=settings.billed, top_k=k
        )
        by_director = queries.graph_director_similar_pipelined(
            connection, persons=directors, shares=of_directors, top_k=k
        )
        by_theme = queries.graph_theme_similar_pipelined(connection, themes=themes, shares=of_themes, top_k=k)
        return [
            (settings.genre, by_genre), (settings.cast, by_cast), (settings.director, by_director),
            (settings.theme, by_theme),
        ]  # fmt: skip

    def _similar_users(
        self, connection: Connection[TupleRow], user_id: str, seeds: list[int]
    ) -> Callable[[], list[queries.GraphSimilarUsersRow]]:
        settings = self.settings
        return queries.graph_similar_users_pipelined(
            connection,
            user_id=user_id,
            seed_ids=seeds,
            seed_weights=[self._rarity(seed) for seed in seeds],
            viewers_per_seed=settings.viewers_per_seed,
            minimum_completion=settings.minimum_completion,
            minimum_in_common=settings.minimum_in_common,
            top_k=settings.similar_users,
        )

    def _of_similar_users(
        self, connection: Connection[TupleRow], similar: Sequence[queries.GraphSimilarUsersRow]
    ) -> Callable[[], dict[int, float]]:
        settings = self.settings
        similarity = {row.user_id: row.similarity for row in similar}
        total = sum(similarity.values())
        if total <= 0:
            return dict
        fetch = queries.graph_highly_rated_pipelined(
            connection,
            user_ids=list(similarity),
            user_weights=[settings.user_decay * each / total for each in similarity.values()],
            minimum_completion=settings.minimum_completion,
            minimum_rating=settings.minimum_rating,
            per_user=settings.per_user,
            top_k=settings.per_query,
        )
        return lambda: {row.content_id: row.vote for row in fetch()}

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


def _weighted_sum(
    answers: Sequence[tuple[float, Callable[[], Sequence[tuple[int, float]]]]], seeds: frozenset[int], per_query: int
) -> dict[int, float]:
    scores: dict[int, float] = {}
    for weight, fetch in answers:
        others = (answer for answer in fetch() if answer[0] not in seeds)
        for content_id, similarity in islice(others, per_query):
            scores[content_id] = scores.get(content_id, 0.0) + weight * similarity
    return scores
