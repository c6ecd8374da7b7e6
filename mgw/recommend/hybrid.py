"""Hybrid recommendations: from a user's id to a list with reasons, by all sources.

Where the database is asked, it is asked here: for the history, for the graph. What is computed is in `pipeline`.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import msgspec
import numpy as np

from mgw.core.database import queries
from mgw.core.errors import ContentUnknown
from mgw.recommend.blend import Source, calibrate, contributions
from mgw.recommend.context import NO_CONTEXT, Context
from mgw.recommend.diversity import choose_slate
from mgw.recommend.eligibility import EVERY_TITLE
from mgw.recommend.graph import GraphSource
from mgw.recommend.history import History, read_history, send_history
from mgw.recommend.pipeline import Pipeline
from mgw.recommend.profile_store import load_sums, save_profile
from mgw.recommend.reasons import Reasons, leading_sources
from mgw.recommend.recommender import RecommendationType, require_names
from mgw.recommend.viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.artifacts import Snapshot
    from mgw.core.settings import BlendSettings, DiversitySettings, Settings
    from mgw.recommend.diversity import Slate
    from mgw.recommend.eligibility import Eligibility
    from mgw.recommend.graph import GraphScores
    from mgw.recommend.lora.adapters import Adapters
    from mgw.recommend.lora.store import Adapter
    from mgw.recommend.profile import Profile, ProfileSums


_TYPES = {
    Source.COLLABORATIVE: RecommendationType.COLLABORATIVE,
    Source.CONTENT: RecommendationType.CONTENT_BASED,
    Source.GRAPH: RecommendationType.GRAPH_BASED,
    Source.CONTEXT: RecommendationType.CONTEXT_AWARE,
}


LORA_BOOST = "lora_boost"
"""The name of what an adapter gives to a score, among the components."""


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
        components: what each source gives to the score, and the user's adapter, `lora_boost`.
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
class Evidence:
    """What an answer is made from.

    Attributes:
        history: of the user.
        viewer: the same by columns of the snapshot.
        graph: what the graph source says; None where it was not asked, because it weighs nothing.
        adapter: the user's; None where there is none.
        factors: the user's, as they were trained, `(d,)`; where the history could not be read, in place of a fold-in.
    """

    history: History
    viewer: Viewer
    graph: GraphScores | None = None
    adapter: Adapter | None = None
    factors: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """One title for one user, on the scale of `Recommended.confidence`.

    Attributes:
        score: the sum of the components; 1 would be the best title of all sources at once.
        components: what each source gives to it, and the user's adapter, `lora_boost`; below 0 where it speaks
            against the title.
    """

    score: float
    components: Mapping[str, float]


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
    """Answers from one snapshot.

    Args:
        snapshot: the model.
        settings: the whole tree.
        adapters: of the model; None adds none to the blend.

    Raises:
        ModelForeign: the snapshot has no embeddings, or does not name its titles.
    """

    def __init__(self, snapshot: Snapshot, settings: Settings, adapters: Adapters | None = None) -> None:
        self.pipeline = Pipeline.of_snapshot(snapshot, settings)
        self.snapshot = snapshot
        self.settings = settings
        self.adapters = adapters
        require_names(snapshot)
        self._names: NDArray[np.bytes_] = snapshot.array("content_ids")
        self._content_ids: list[str] = [name.decode() for name in self._names.tolist()]
        self._has_factors: NDArray[np.bool_] = np.asarray(self.pipeline.collaborative.fold_in.item_factors.any(axis=1))
        self._viewers: NDArray[np.int64] = snapshot.array("viewers")
        self.columns = {content_id: column for column, content_id in enumerate(self._content_ids)}
        self._graph: GraphSource | None = None

    def with_adapters(self, adapters: Adapters | None) -> Self:
        """Answer with other adapters; all else is shared."""
        other = copy.copy(self)
        other.adapters = adapters
        return other

    def with_blend(self, blend: BlendSettings) -> Self:
        """Answer with other weights of the sources; all else is shared."""
        other = copy.copy(self)
        other.settings = msgspec.structs.replace(self.settings, blend=blend)
        other.pipeline = replace(self.pipeline, settings=other.settings)
        return other

    def prepare(self, connection: Connection[TupleRow]) -> None:
        """Read what every answer needs of the database, so that those made from this one share it."""
        self._graph_source(connection)

    def read(self, connection: Connection[TupleRow], user_id: str) -> Evidence:
        """Read what the database knows of the user with the caller's id `user_id`."""
        graph = self._graph_source(connection)
        with connection.pipeline():
            read, seeds = send_history(connection, user_id), graph.seeds(connection, user_id)
            fetch_adapter = None if self.adapters is None else self.adapters.send(connection, user_id)
            history = read()
            viewer = Viewer.of_history(history, self.columns)
            hears_graph = self._hears_graph(viewer)
            fetch = graph.send(connection, user_id, seeds()) if hears_graph else None
            adapter = None if fetch_adapter is None else fetch_adapter()
        return Evidence(history, viewer, None if fetch is None else fetch(), adapter)

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
        """Recommend titles to the user with the caller's id `user_id`; `read` and `answer` in one.

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
        evidence = self.read(connection, user_id)
        return self.answer(
            evidence, top_k, context=context, stated_genres=stated_genres, eligibility=eligibility, rng=rng
        )

    def answer(
        self,
        evidence: Evidence,
        top_k: int,
        *,
        context: Context = NO_CONTEXT,
        stated_genres: Sequence[str] = (),
        eligibility: Eligibility = EVERY_TITLE,
        diversity: DiversitySettings | None = None,
        rng: np.random.Generator,
    ) -> Answer:
        """Recommend titles by what is known of a user; as `recommend`, without a database.

        Args:
            evidence: of the user.
            top_k: how many titles; fewer where no more may be recommended.
            context: the moment.
            stated_genres: what the user says to like.
            eligibility: which titles may be recommended.
            diversity: in place of the settings'.
            rng: draws what is explored.

        Raises:
            UsageInvalid: the catalogue has no such genre.
        """
        history, viewer = evidence.history, evidence.viewer
        unseen = self._unseen(viewer)
        raw, given = self._contributions(evidence, unseen, context, stated_genres)
        listable = self._listable(viewer, unseen, eligibility)
        slate = choose_slate(
            given.sum(axis=0),
            listable,
            top_k,
            embeddings=self.pipeline.catalogue.embeddings,
            genres=self.pipeline.context.genres,
            settings=diversity or self.settings.diversity,
            rng=rng,
        )
        popular = 2 * self.pipeline.context.popularity >= raw[list(Source).index(Source.CONTEXT)]
        bound = _bound(given, listable)
        leading = leading_sources(given[: len(Source), slate.columns])
        reasons = Reasons.of_list(
            self.pipeline,
            viewer,
            evidence.graph,
            slate.columns,
            [source for source, _ in leading],
            most=self.settings.recommend.reasons,
        )
        is_cold = not len(viewer.liked) and evidence.factors is None
        listed = tuple(
            self._recommended(
                place,
                given[:, column],
                bound,
                leads=leading[place][1],
                is_cold=is_cold,
                popular=bool(popular[column]),
                reasons=reasons,
                slate=slate,
            )
            for place, column in enumerate(slate.columns)
        )
        return Answer(history.user_exists, listed, slate.similarity, self.snapshot.manifest.name)

    def rehearse(self) -> None:
        """Answer somebody who watched the first titles, so that what is loaded or compiled once is by then."""
        ids = tuple(self._content_ids[:3])
        ones = np.ones(len(ids), dtype=np.float32)
        history = History(True, ids, ids, ones, ids, np.zeros(len(ids)), ones)
        evidence = Evidence(history, Viewer.of_history(history, self.columns))
        self.answer(evidence, 1, rng=np.random.default_rng(0))

    def score(self, evidence: Evidence, content_id: str, *, context: Context = NO_CONTEXT) -> Score:
        """Score one title, be it one that the user has met.

        Raises:
            ContentUnknown: the snapshot has no such title, or knew nothing of it.
        """
        column = self.columns.get(content_id, -1)
        if column < 0 or not self._has_factors[column]:
            raise ContentUnknown(
                f"the model {self.snapshot.manifest.name} does not know {content_id!r}",
                hint="train again: `mgw train als`",
            )
        unseen = self._unseen(evidence.viewer)
        _, given = self._contributions(evidence, unseen, context)
        share = given[:, column] / (_bound(given, unseen) or 1.0)
        return Score(float(share.sum()), _named(share))

    def trained(self, user_id: str) -> Evidence:
        """Return what the snapshot alone knows of a user: the factors, and no title of the history."""
        row = self._user_rows.get(user_id.encode())
        nothing = History.empty(user_exists=row is not None)
        factors = None if row is None else self.snapshot_users[row]
        return Evidence(nothing, Viewer.of_history(nothing, self.columns), factors=factors)

    def update_profile(
        self, connection: Connection[TupleRow], user_id: str, sums: ProfileSums | None, new: History
    ) -> Profile:
        """Add events to a user's profile and keep it.

        Args:
            connection: where the events are stored already.
            user_id: the caller's id.
            sums: what the profile was made from before, `load_sums`; None makes it anew from all events.
            new: the events that have come in since.
        """
        pipeline, settings = self.pipeline, self.settings.profile
        added = pipeline.profile_sums(Viewer.of_history(new, self.columns))
        if sums is None or not added.is_additive:
            everything = read_history(connection, user_id)
            sums = pipeline.profile_sums(Viewer.of_history(everything, self.columns))
        else:
            sums = sums.plus(added, settings)
        profile = pipeline.profile_of_sums(sums)
        name, genres = self.snapshot.manifest.name, pipeline.context.names
        save_profile(connection, user_id, profile, sums, snapshot=name, genres=genres, settings=settings)
        return profile

    def load_sums(self, connection: Connection[TupleRow], user_id: str) -> ProfileSums | None:
        """Read what a user's profile was made from, to be asked before events are added."""
        return load_sums(connection, user_id, self.snapshot.manifest.name, self.settings.profile)

    def title(self, content_id: str) -> str | None:
        """Return the name of a title when the model was trained; None where the snapshot does not have it."""
        column = self.columns.get(content_id)
        return None if column is None else self._title(column)

    def _title(self, column: int) -> str:
        return bytes(self.pipeline.catalogue.titles[column]).decode()

    @cached_property
    def snapshot_users(self) -> NDArray[np.float32]:
        """The factors of the users of the training, `(n_users, d)`."""
        return self.snapshot.array("user_factors")

    @cached_property
    def _user_rows(self) -> dict[bytes, int]:
        return {name: row for row, name in enumerate(self.snapshot.array("user_ids").tolist())}

    def _graph_source(self, connection: Connection[TupleRow]) -> GraphSource:
        if self._graph is None:
            named = {row.id: self.columns.get(row.external_id, -1) for row in queries.training_content(connection)}
            self._graph = GraphSource.of(
                {identity: column for identity, column in named.items() if column >= 0},
                self._viewers,
                max(int(self.snapshot.manifest.data["users"]), 1),
                self.pipeline.catalogue,
                self.settings.graph,
            )
        return self._graph

    def _hears_graph(self, viewer: Viewer) -> bool:
        weights = self.pipeline.weights(viewer)
        return len(viewer.liked) > 0 and bool(weights[list(Source).index(Source.GRAPH)] > 0)

    def _contributions(
        self,
        evidence: Evidence,
        unseen: NDArray[np.bool_],
        context: Context,
        stated_genres: Sequence[str] = (),
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the scores of every source, and what each and then the adapter gives to the sum.

        Returns:
            `(n_sources, n_items)` and `(n_sources + 1, n_items)`.
        """
        viewer = evidence.viewer
        profile = self.pipeline.profile(viewer, stated_genres)
        graph = None if evidence.graph is None else evidence.graph.total
        raw = self.pipeline.scores(viewer, profile, graph, context, factors=evidence.factors)
        weights = self.pipeline.weights(viewer, is_known=evidence.factors is not None)
        given = np.zeros((len(Source) + 1, raw.shape[1]))
        given[: len(Source)] = contributions(calibrate(raw, unseen), weights)
        if self.adapters is not None and evidence.adapter is not None:
            given[-1] = self.adapters.boost(evidence.adapter.weights)
        return raw, given

    def _recommended(
        self,
        place: int,
        given: NDArray[np.float64],
        bound: float,
        *,
        leads: bool,
        is_cold: bool,
        popular: bool,
        reasons: Reasons,
        slate: Slate,
    ) -> Recommended:
        column = int(slate.columns[place])
        source, reason = reasons.sources[place], reasons.of(place)
        based_on = tuple(self._content_ids[carrier] for carrier in reason.based_on)
        origin = RecommendationType.COLD_START if is_cold else _TYPES[source] if leads else RecommendationType.HYBRID
        return Recommended(
            self._content_ids[column],
            self._title(column),
            float(np.clip(given.sum() / bound, 0, 1)) if bound > 0 else 0.0,
            origin,
            based_on,
            _explanation(source, [self._title(carrier) for carrier in reason.based_on], reason.shared, popular=popular),
            _named(given),
            float(slate.propensities[place]),
        )

    def _unseen(self, viewer: Viewer) -> NDArray[np.bool_]:
        """Say what is new to the viewer, whatever may be listed: a filter takes titles away and reorders none."""
        unseen = self._has_factors.copy()
        unseen[viewer.seen] = False
        return unseen

    def _listable(self, viewer: Viewer, unseen: NDArray[np.bool_], eligibility: Eligibility) -> NDArray[np.bool_]:
        listable = eligibility.mask(self._names) & (self._has_factors if eligibility.watched else unseen)
        return listable if len(viewer.liked) else listable & (self._viewers > 0)


def _named(given: NDArray[np.float64]) -> dict[str, float]:
    """Name what each source and the adapter gives to one score, `(n_sources + 1,)`."""
    return dict(zip((*map(str, Source), LORA_BOOST), given.tolist(), strict=True))


def _bound(given: NDArray[np.float64], listable: NDArray[np.bool_]) -> float:
    """Return the score that a title would have that is the best of every source and of the adapter."""
    return float(given[:, listable].max(axis=1).clip(0).sum()) if listable.any() else 0.0


def _explanation(source: Source, titles: list[str], shared: str, *, popular: bool) -> str:
    if titles:
        return f"because you watched {' and '.join(titles)}" + (f" ({shared})" if shared else "")
    if source is Source.COLLABORATIVE:
        return "people with a taste like yours watch it"
    if source is Source.GRAPH:
        return "people who watched what you watched watched it too"
    return "watched by many these days" if popular else "of genres that fit you or the moment"
