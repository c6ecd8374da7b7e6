"""Hybrid recommendations: from a user's id to a list with reasons, by all sources.

Where the database is asked, it is asked here: for the history, for the graph. What is computed is in `pipeline`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mgw.core.database import queries
from mgw.recommend.blend import Source, calibrate, contributions
from mgw.recommend.context import NO_CONTEXT, Context
from mgw.recommend.diversity import choose_slate
from mgw.recommend.eligibility import EVERY_TITLE
from mgw.recommend.graph import GraphSource
from mgw.recommend.history import read_history
from mgw.recommend.pipeline import Pipeline
from mgw.recommend.reasons import Reasons, leading_source
from mgw.recommend.recommender import RecommendationType, require_names
from mgw.recommend.viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.artifacts import Snapshot
    from mgw.core.settings import Settings
    from mgw.recommend.diversity import Slate
    from mgw.recommend.eligibility import Eligibility
    from mgw.recommend.history import History


_TYPES = {
    Source.COLLABORATIVE: RecommendationType.COLLABORATIVE,
    Source.CONTENT: RecommendationType.CONTENT_BASED,
    Source.GRAPH: RecommendationType.GRAPH_BASED,
    Source.CONTEXT: RecommendationType.CONTEXT_AWARE,
}


@dataclass(frozen=True, slots=True)
class Recommended:
    """One title of a list.

    Attributes:
        content_id: the caller's id.
        title: its name when the model was trained.
        confidence: 0 to 1; 1 would be the best title of all sources at once.
        type: the source that carries the score, or `hybrid` where no one does.
        based_on: ids of the watched titles that carry it.
        explanation: in words.
        components: what each source gives to the score.
        propensity: the chance with which it was put on its place.
    """

    content_id: str
    title: str
    confidence: float
    type: RecommendationType
    based_on: tuple[str, ...]
    explanation: str
    components: Mapping[str, float]
    propensity: float


@dataclass(frozen=True, slots=True)
class Answer:
    """A list for one user.

    Attributes:
        known_user: whether the database knows the user.
        recommendations: best first.
        similarity: mean cosine between the titles of the list.
        model: name of the snapshot.
    """

    known_user: bool
    recommendations: tuple[Recommended, ...]
    similarity: float
    model: str


class Hybrid:
    """Answers from one snapshot and one database.

    Raises:
        ModelForeign: the snapshot has no embeddings, or does not name its titles.
    """

    def __init__(self, snapshot: Snapshot, settings: Settings, connection: Connection[TupleRow]) -> None:
        self.pipeline = Pipeline.of_snapshot(snapshot, settings)
        self.snapshot = snapshot
        self._settings = settings
        require_names(snapshot)
        self._names: NDArray[np.bytes_] = snapshot.array("content_ids")
        self._content_ids: list[str] = [name.decode() for name in self._names.tolist()]
        self._has_factors: NDArray[np.bool_] = np.asarray(self.pipeline.fold_in.item_factors.any(axis=1))
        self._has_viewers: NDArray[np.bool_] = snapshot.array("viewers") > 0
        self._columns = {content_id: column for column, content_id in enumerate(self._content_ids)}
        internal = {row.id: self._columns.get(row.external_id, -1) for row in queries.training_content(connection)}
        self._graph = GraphSource(
            {identity: column for identity, column in internal.items() if column >= 0},
            snapshot.array("viewers"),
            max(int(snapshot.manifest.data["users"]), 1),
            settings.graph,
        )

    def recommend(
        self,
        connection: Connection[TupleRow],
        user_id: str,
        top_k: int,
        *,
        context: Context = NO_CONTEXT,
        stated_genres: Sequence[str] = (),
        eligibility: Eligibility = EVERY_TITLE,
        rng: np.random.Generator,
    ) -> Answer:
        """Recommend titles to the user with the caller's id `user_id`.

        Args:
            connection: to the database with the user's events.
            user_id: whoever it is; somebody unknown is answered with what is popular.
            top_k: how many titles; fewer where no more may be recommended.
            context: the moment.
            stated_genres: what the user says to like; the fewer events there are, the more it counts.
            eligibility: which titles may be recommended.
            rng: draws what is explored.

        Raises:
            UsageInvalid: the catalogue has no such genre.
        """
        history = read_history(connection, user_id)
        viewer = Viewer.of_history(history, self._columns)
        graph = self._graph.scores(connection, user_id) if len(viewer.liked) else None
        profile = self.pipeline.profile(viewer, stated_genres)
        unseen = self._unseen(viewer)
        raw = self.pipeline.scores(viewer, profile, None if graph is None else graph.total, context)
        given = contributions(calibrate(raw, unseen), self.pipeline.weights(viewer))
        score = given.sum(axis=0)
        listable = self._listable(viewer, unseen, eligibility)
        slate = choose_slate(
            score,
            listable,
            top_k,
            embeddings=self.pipeline.catalogue.embeddings,
            genres=self.pipeline.context.genres,
            settings=self._settings.diversity,
            rng=rng,
        )
        popular = 2 * self.pipeline.context.popularity() >= raw[list(Source).index(Source.CONTEXT)]
        bound = float(given[:, listable].max(axis=1).clip(0).sum()) if listable.any() else 0.0
        reasons = Reasons.of_list(self.pipeline, viewer, graph, slate.columns, most=self._settings.recommend.reasons)
        listed = tuple(
            self._recommended(
                place,
                given[:, column],
                bound,
                popular=bool(popular[column]),
                reasons=reasons,
                history=history,
                slate=slate,
            )
            for place, column in enumerate(slate.columns)
        )
        return Answer(history.user_exists, listed, slate.similarity, self.snapshot.manifest.name)

    def _recommended(
        self,
        place: int,
        given: NDArray[np.float64],
        bound: float,
        *,
        popular: bool,
        reasons: Reasons,
        history: History,
        slate: Slate,
    ) -> Recommended:
        column = int(slate.columns[place])
        source, leads = leading_source(given)
        is_cold = not len(reasons.viewer.liked)
        reason = reasons.of(place, source)
        based_on = tuple(self._content_ids[carrier] for carrier in reason.based_on)
        origin = RecommendationType.COLD_START if is_cold else _TYPES[source] if leads else RecommendationType.HYBRID
        return Recommended(
            self._content_ids[column],
            self.pipeline.catalogue.titles[column].decode(),
            float(np.clip(given.sum() / bound, 0, 1)) if bound > 0 else 0.0,
            origin,
            based_on,
            _explanation(
                source, [history.titles[content_id] for content_id in based_on], reason.shared, popular=popular
            ),
            {str(name): float(value) for name, value in zip(Source, given, strict=True)},
            float(slate.propensities[place]),
        )

    def _unseen(self, viewer: Viewer) -> NDArray[np.bool_]:
        """Say what is new to the viewer, whatever may be listed: a filter takes titles away and reorders none."""
        unseen = self._has_factors.copy()
        unseen[viewer.seen] = False
        return unseen

    def _listable(self, viewer: Viewer, unseen: NDArray[np.bool_], eligibility: Eligibility) -> NDArray[np.bool_]:
        listable = eligibility.mask(self._names) & (self._has_factors if eligibility.watched else unseen)
        return listable if len(viewer.liked) else listable & self._has_viewers


def _explanation(source: Source, titles: list[str], shared: str, *, popular: bool) -> str:
    if titles:
        return f"because you watched {' and '.join(titles)}" + (f" ({shared})" if shared else "")
    if source is Source.GRAPH:
        return "people who watched what you watched watched it too"
    return "watched by many these days" if popular else "of genres that fit you or the moment"
