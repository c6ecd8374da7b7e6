"""The pipeline on a split: each source alone, the blend, and the blend without each, on what was held out.

The graph is asked as it is when somebody waits for an answer, by the same queries on the same tables; only that for
the length of the evaluation a temporary table hides the events that were held out.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from mgw.core.database import queries
from mgw.core.errors import MemoryShort
from mgw.core.memory import available_bytes
from mgw.core.progress import SILENT
from mgw.recommend.als import ALS
from mgw.recommend.blend import Source, calibrate, contributions, source_weights
from mgw.recommend.collaborative import ItemWeights
from mgw.recommend.content import read_catalogue
from mgw.recommend.context import Trends
from mgw.recommend.foldin import FoldIn
from mgw.recommend.graph import GraphSource
from mgw.recommend.interactions import strength_matrix
from mgw.recommend.pipeline import Pipeline, weights_for
from mgw.recommend.source import read_training_data
from mgw.recommend.viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from psycopg import Connection
    from psycopg.rows import TupleRow
    from scipy.sparse import csr_array

    from mgw.core.progress import Progress
    from mgw.core.settings import Settings
    from mgw.recommend.baselines import Scorer
    from mgw.recommend.content import Catalogue, Encoder
    from mgw.recommend.interactions import Events
    from mgw.recommend.source import TrainingData
    from mgw.recommend.split import Split


_BYTES_PER_SCORE = 4
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Scored:
    """What all sources say to the users of a split, on one scale.

    Attributes:
        users: who was asked, rows of the split, ascending, `(n,)`.
        table: calibrated scores, `(n, n_sources, n_items)`.
        als: those of ALS by itself, as they are, `(n, n_items)`.
        liked: how many titles each is known to like, `(n,)`.
        timed: share of each one's events whose time is known, `(n,)`.
        prior_events: how many of these count as much as popularity.
        pipeline: that was asked.
    """

    users: NDArray[np.int64]
    table: NDArray[np.float32]
    als: NDArray[np.float32]
    liked: NDArray[np.int64]
    timed: NDArray[np.float64]
    prior_events: int
    pipeline: Pipeline

    def blended(self, weights: NDArray[np.float64]) -> Blended:
        """Return the model that weights the sources so, `(n_sources,)`."""
        return Blended(self, weights)


@dataclass(frozen=True, slots=True)
class Blended:
    """A weighting of the sources, as `evaluate` asks a model."""

    scored: Scored
    weights: NDArray[np.float64]

    def scores(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score every title for some of those who were asked, `(len(users), n_items)`."""
        rows = np.searchsorted(self.scored.users, users)
        return np.stack([self._row(row) for row in rows]).astype(np.float32)

    def given(self, _histories: csr_array[np.float32]) -> Blended:
        """Return itself: the histories are known already."""
        return self

    def _row(self, row: int) -> NDArray[np.float64]:
        weights = self.weights
        if np.count_nonzero(weights) > 1:
            scored = self.scored
            timed = float(scored.timed[row])
            weights = weights_for(int(scored.liked[row]), weights, scored.prior_events, timed=timed)
        return np.asarray(contributions(self.scored.table[row].astype(np.float64), weights).sum(axis=0))


@dataclass(frozen=True, slots=True)
class Unblended:
    """Scores that one model gave, as `evaluate` asks a model."""

    users: NDArray[np.int64]
    table: NDArray[np.float32]

    def scores(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score every title for some of those who were asked, `(len(users), n_items)`."""
        return self.table[np.searchsorted(self.users, users)]

    def given(self, _histories: csr_array[np.float32]) -> Unblended:
        """Return itself: the histories are known already."""
        return self


def ablations(scored: Scored, settings: Settings) -> dict[str, Scorer]:
    """Return the blend, ALS alone, each source alone, and the blend without each source."""
    weights = source_weights(settings.blend)
    one = np.eye(len(Source))
    models: dict[str, Scorer] = {"blend": scored.blended(weights), "ALS": Unblended(scored.users, scored.als)}
    models |= {str(source): scored.blended(one[place]) for place, source in enumerate(Source)}
    models |= {f"without {source}": scored.blended(weights * (1 - one[place])) for place, source in enumerate(Source)}
    return models


def score_database(
    connection: Connection[TupleRow],
    settings: Settings,
    split_events: Callable[[Events], Split],
    progress: Progress = SILENT,
    *,
    encoder: Encoder | None = None,
) -> tuple[Scored, Split]:
    """Read all events and the catalogue, split them, and do as `score_split`; nothing is changed."""
    data = read_training_data(connection)
    catalogue = read_catalogue(connection, data.events, settings.content, encoder=encoder, progress=progress)
    connection.commit()
    split = split_events(data.events)
    return score_split(connection, data, split, catalogue, settings, progress=progress), split


def score_split(
    connection: Connection[TupleRow],
    data: TrainingData,
    split: Split,
    catalogue: Catalogue,
    settings: Settings,
    *,
    progress: Progress = SILENT,
) -> Scored:
    """Fit the sources to the training side of a split and ask them for everybody whom the split asks about.

    Raises:
        NoEvents: there is nothing to learn from.
        MemoryShort: the scores of everybody would not fit.
    """
    matrix = strength_matrix(split.train)
    users = split.audience().users
    _require_memory(len(users) * (len(Source) + 1) * matrix.shape[1] * _BYTES_PER_SCORE)
    als = ALS.fit(matrix, settings.als, threads=settings.threads, progress=progress)
    als = als.with_cold_items(catalogue.features, matrix) if settings.als.content_features else als
    has_factors = np.asarray(als.item_factors.any(axis=1))
    genres, _ = catalogue.field("genre")
    trends = Trends.of(split.train, genres, settings.context)
    fold_in, item_weights = FoldIn(als.item_factors, als.settings), ItemWeights.fit(matrix, settings.ease)
    pipeline = Pipeline.of(fold_in, item_weights, catalogue, trends, settings)
    seen = split.seen()[users]
    viewers = _viewers(split.history, users)
    columns = {int(identity): place for place, identity in enumerate(data.events.item_ids)}
    popularity = np.bincount(matrix.indices, minlength=matrix.shape[1]).astype(np.int64)
    graph = GraphSource.of(columns, popularity, matrix.shape[0], catalogue, settings.graph)
    table = np.empty((len(users), len(Source), matrix.shape[1]), dtype=np.float32)
    alone = np.empty((len(users), matrix.shape[1]), dtype=np.float32)
    hidden = only_events_of(connection, split.history, split.train)
    with (
        hidden,
        threadpool_limits(1, user_api="blas"),  # many small systems: two threads at one only wait for each other
        progress.stage("Asking all sources", total=len(users)) as stage,
    ):
        for row, (user, viewer) in enumerate(zip(users, viewers, strict=True)):
            unseen = has_factors.copy()
            unseen[seen[[row]].indices] = False
            found = graph.scores(connection, data.user_ids[user].decode()).total
            raw = pipeline.scores(viewer, pipeline.profile(viewer), found)
            table[row] = calibrate(raw, unseen)
            alone[row] = fold_in.item_factors @ fold_in.user_factors(viewer.liked, viewer.strength).astype(np.float32)
            stage.advance()
    liked = np.array([len(viewer.liked) for viewer in viewers])
    timed = np.array([viewer.timed for viewer in viewers])
    return Scored(users, table, alone, liked, timed, settings.blend.prior_events, pipeline)


def _require_memory(needed: int) -> None:
    if (left := available_bytes()) is not None and needed > left:
        raise MemoryShort(
            f"the scores of all sources take {needed / 2**30:,.1f} GiB, and {left / 2**30:,.1f} GiB are left",
            hint="--split cold-users with a small --test-share asks fewer users",
        )


def _viewers(events: Events, users: NDArray[np.int64]) -> list[Viewer]:
    order = np.argsort(events.users, kind="stable")
    starts = np.searchsorted(events.users[order], np.arange(events.n_users + 1))
    parts = [order[starts[user] : starts[user + 1]] for user in users]
    return [Viewer.of_events(events.items[part], events.at[part], events.engagement[part]) for part in parts]


@contextmanager
def only_events_of(connection: Connection[TupleRow], *known: Events) -> Iterator[None]:
    """Let the graph queries of this connection see no other events; afterwards all are there as before.

    A pair that is known is seen with its events up to the latest known one.
    """
    latest: dict[tuple[int, int], float] = {}
    for events in known:
        at = np.nan_to_num(events.at, nan=-np.inf)
        keys = zip(events.user_ids[events.users].tolist(), events.item_ids[events.items].tolist(), strict=True)
        for key, moment in zip(keys, at.tolist(), strict=True):
            latest[key] = max(latest.get(key, -np.inf), moment)
    with connection.transaction(force_rollback=True):
        queries.evaluate_stage_pairs(connection)
        with queries.evaluate_copy_pairs(connection) as copy:
            for (user, item), moment in latest.items():
                copy.write_row((user, item, None if moment == -np.inf else _EPOCH + timedelta(seconds=moment)))
        queries.evaluate_hide_events(connection)
        queries.evaluate_index_by_content(connection)
        queries.evaluate_index_by_user(connection)
        queries.evaluate_analyze_events(connection)
        queries.evaluate_hide_progress(connection)
        yield
