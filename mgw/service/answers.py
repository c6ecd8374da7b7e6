"""What the service answers: blocking, for the threads of a worker.

database   model    answer
there      there    the whole pipeline
away       there    what the snapshot alone knows: the user's trained factors and what was popular; what the user
                    has watched is not known, so it may be on the list
there      none     what is watched most these days, without what the user has met
away       none     none
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
from msgspec import UNSET

from mgw.core.changes import Actor
from mgw.core.database import queries
from mgw.core.errors import AdaptersMissing, ContentUnknown, MgwError, ModelMissing, TooFewEvents, UserUnknown
from mgw.core.problems import Fault, bad_request
from mgw.recommend.context import Context
from mgw.recommend.eligibility import EVERY_TITLE, eligible_titles, unknown_titles
from mgw.recommend.history import History, history_of, read_history
from mgw.recommend.hybrid import LORA_BOOST
from mgw.recommend.lora.online import train_user
from mgw.service.connections import AWAY
from mgw.service.messages import (
    LoraTrainReply,
    LoraTrainRequest,
    ProfileUpdateReply,
    ProfileUpdateRequest,
    Recommendation,
    RecommendationsReply,
    RecommendationsRequest,
    RequestContext,
    ScoreComponents,
    ScoreReply,
    ScoreRequest,
    SimilarReply,
    SimilarRequest,
    SimilarTitle,
    ViewingEvent,
)
from mgw.service.variants import Asked, choose_arms, labels_of, make_list, read_evidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.audit import Trail
    from mgw.core.settings import Settings
    from mgw.recommend.eligibility import Eligibility
    from mgw.recommend.hybrid import Evidence
    from mgw.service.clock import Clock
    from mgw.service.connections import Connections
    from mgw.service.counting import Counts, MachineGauges
    from mgw.service.experiments import Experiments
    from mgw.service.messages import Degraded
    from mgw.service.models import Model, Models

_log = logging.getLogger(__name__)

CLOCK_SKEW_S = 300.0
ELIGIBLE_FOR_S = 30.0
"""How old what is known of the titles' availability may be."""

POPULAR_FOR_S = 60.0
POPULAR_TITLES = 1_000


class Answers:
    """Answers from the model of the moment and the database.

    Args:
        settings: the whole tree.
        models: the model.
        connections: to the database.
        clock: is told of news.
        experiments: that run.
        trail: of the machine: what others noted is written to the database.
        counts: of this worker.
    """

    def __init__(
        self,
        settings: Settings,
        models: Models,
        connections: Connections,
        *,
        clock: Clock,
        experiments: Experiments,
        trail: Trail,
        counts: Counts,
    ) -> None:
        self.models = models
        self.connections = connections
        self.experiments = experiments
        self._settings = settings
        self._clock = clock
        self._trail = trail
        self._counts = counts
        self._eligible: Eligibility = EVERY_TITLE
        self._eligible_at = -np.inf
        self._popular: list[queries.CataloguePopularRow] = []
        self._popular_at = -np.inf

    def refresh(self) -> None:
        """Look for a new model, for a database that was away, and for what else changes with time."""
        self.models.refresh()
        self.experiments.refresh()
        self.models.keep(self.experiments.models)
        if self.connections.is_away:
            self.connections.probe()
        self._trail.flush(self.connections.run)
        try:
            self._refresh_titles()
        except AWAY:
            pass
        except MgwError as error:
            _log.warning("what may be recommended cannot be read: %s", error)

    def close(self) -> None:
        """Bring to the database what was noted on this machine meanwhile; what cannot be brought waits."""
        self._trail.flush(self.connections.run)

    def look(self, gauges: MachineGauges) -> None:
        """Say how things stand that are the same for all workers."""
        gauges.database_away.value = float(self.connections.is_away)
        gauges.audit_backlog.value = float(self._trail.backlog)
        gauges.exposures_backlog.value = float(self.experiments.backlog)
        gauges.experiments_running.value = float(self.experiments.count)

    def recommend(self, request: RecommendationsRequest) -> RecommendationsReply:
        """Recommend titles to a user."""
        model = self.models.current
        limit = self._limit(request.limit)
        if model is None:
            return self._popular_titles(request, limit)
        with self._counts.stage("read"):
            asked, degraded = self._asked(model, request)
            eligibility = self._eligibility(request.exclude_watched)
        with self._counts.stage("rank"):
            made = make_list(asked, request, limit, _context(request.context), eligibility)
        self.experiments.expose(asked, request.user_id, made)
        labels = labels_of(asked, made)
        listed = tuple(
            Recommendation(
                content_id=each.content_id,
                title=each.title,
                confidence_score=each.confidence,
                recommendation_type=each.type.value,
                based_on=each.based_on,
                explanation=each.explanation,
                experiment_variant=label or UNSET,
            )
            for each, label in zip(made.recommendations, labels, strict=True)
        )
        self._counts.listed(listed, has_adapter=asked.evidence[0].adapter is not None)
        return self._reply(listed, model.name, known_user=made.answer.known_user, degraded=degraded)

    def similar(self, request: SimilarRequest) -> SimilarReply:
        """Find titles like another."""
        model = self._model()
        found = model.recommender.similar(request.content_id, self._limit(request.limit), eligibility=self._eligible)
        return SimilarReply(
            content_id=request.content_id,
            similar_content=tuple(
                SimilarTitle(
                    content_id=each.content_id,
                    title=model.hybrid.title(each.content_id) or each.content_id,
                    similarity=each.similarity,
                )
                for each in found
            ),
            model=model.name,
            degraded=self._degraded(),
        )

    def score(self, request: ScoreRequest) -> ScoreReply:
        """Score a title for a user.

        Raises:
            UserUnknown: nobody has this id.
            ContentUnknown: the model does not know the title.
        """
        model = self._model()
        if model.hybrid.title(request.content_id) is None:
            raise ContentUnknown(f"the model {model.name} does not know {request.content_id!r}")
        evidence, degraded = self._evidence(model, request.user_id)
        if not evidence.history.user_exists:
            raise UserUnknown(f"there is no user {request.user_id!r}")
        found = model.hybrid.score(evidence, request.content_id, context=_context(request.context))
        components = ScoreComponents(
            collaborative=found.components["collaborative"],
            content_based=found.components["content"],
            graph_based=found.components["graph"],
            context=found.components["context"],
            lora_boost=found.components[LORA_BOOST],
        )
        return ScoreReply(
            user_id=request.user_id,
            content_id=request.content_id,
            score=found.score,
            components=components,
            model=model.name,
            degraded=degraded,
        )

    def update(self, request: ProfileUpdateRequest) -> ProfileUpdateReply:
        """Store events of a user, all or none, and make the user's profile anew.

        Raises:
            Problem: an event is on a title that there is not, or from the future.
            DatabaseError: nothing was stored.
        """

        def work(connection: Connection[TupleRow]) -> tuple[int, int | None]:
            if faults := event_faults(connection, request.viewing_events):
                raise bad_request("nothing was stored", *faults)
            with connection.transaction():
                queries.profile_add_user(connection, user_id=request.user_id)
                user = queries.profile_hold_user(connection, user_id=request.user_id)
                return self._add_events(connection, request.user_id, user, request.viewing_events)

        new, dimensions = self.connections.run(work)
        self._clock.touch(request.user_id)  # before anybody hears that it is done
        return ProfileUpdateReply(
            status="updated",
            user_id=request.user_id,
            events_processed=len(request.viewing_events),
            events_new=new,
            preference_vector_dim=dimensions,
        )

    def train(self, request: LoraTrainRequest, actor: Actor) -> LoraTrainReply:
        """Train a user's adapter.

        Raises:
            UserUnknown: nobody has this id.
            TooFewEvents: the user has too few liked titles whose times are known.
            AdaptersMissing: there is no shared tier for the model.
        """
        began = time.perf_counter()
        hybrid = self._model().hybrid
        adapters = hybrid.adapters
        if adapters is None:
            raise AdaptersMissing("no adapters have been trained for the model in use")
        done = self.connections.run(
            lambda connection: train_user(
                connection, request.user_id, adapters, hybrid.columns, force=request.force, actor=actor
            )
        )
        self._counts.trained(done.status)
        if done.status == "trained":
            self._clock.touch(request.user_id)
        return LoraTrainReply(
            status=done.status,
            user_id=request.user_id,
            duration_ms=round(1000 * (time.perf_counter() - began), 3),
            training_iterations=int(done.status == "trained"),
            events_used=done.events_used,
            version=done.version,
        )

    def refit(self, user_id: str) -> None:
        """Let a user's adapter follow new events, where the user may have one."""
        model = self.models.current
        if model is not None and model.hybrid.adapters is not None:
            with suppress(TooFewEvents, UserUnknown):
                self.train(LoraTrainRequest(user_id=user_id), Actor("mgw service"))

    def update_faults(self, events: Sequence[ViewingEvent | None]) -> list[Fault]:
        """Find what is wrong with those events that can be read, for a request that cannot be taken as a whole."""
        return self.connections.run(lambda connection: event_faults(connection, events))

    def _add_events(
        self, connection: Connection[TupleRow], user_id: str, user: int, events: Sequence[ViewingEvent]
    ) -> tuple[int, int | None]:
        """Store events and update the profile; return how many were new, and the length of the preference vector."""
        model = self.models.current
        sums = None if model is None else model.hybrid.load_sums(connection, user_id)
        rows = _store_events(connection, user, events)
        if model is None:
            return len(rows), None
        new = history_of(rows) if rows else History.empty(user_exists=True)
        profile = model.hybrid.update_profile(connection, user_id, sums, new)
        return len(rows), len(profile.preference)

    def _evidence(self, model: Model, user_id: str) -> tuple[Evidence, tuple[Degraded, ...]]:
        try:
            return self.connections.run(lambda connection: model.hybrid.read(connection, user_id)), ()
        except AWAY:
            return model.hybrid.trained(user_id), ("database",)

    def _asked(self, model: Model, request: RecommendationsRequest) -> tuple[Asked, tuple[Degraded, ...]]:
        """Find what the user takes part in, and read what is known of the user."""

        def read(connection: Connection[TupleRow]) -> Asked:
            parts = self.experiments.take_part(connection, request, self.models.has)
            arms = choose_arms(model, self.models, parts, self._settings)
            return Asked(parts, arms, read_evidence(connection, model, arms, request.user_id))

        try:
            return self.connections.run(read), ()
        except AWAY:
            parts = self.experiments.take_part(None, request, self.models.has)
            arms = choose_arms(model, self.models, parts, self._settings)
            return Asked(parts, arms, tuple(arm.hybrid.trained(request.user_id) for arm in arms)), ("database",)

    def _popular_titles(self, request: RecommendationsRequest, limit: int) -> RecommendationsReply:
        """Answer without a model."""
        history = self.connections.run(lambda connection: read_history(connection, request.user_id))
        eligible = self._eligibility(request.exclude_watched)
        seen = frozenset() if eligible.watched else frozenset(history.seen)
        left = [row for row in self._popular if _is_listable(row.external_id, eligible, seen)][:limit]
        most = max((row.popularity for row in left), default=1.0)
        listed = tuple(
            Recommendation(
                content_id=row.external_id,
                title=row.title,
                confidence_score=row.popularity / most,
                recommendation_type="cold_start",
                based_on=(),
                explanation="watched by many these days",
            )
            for row in left
        )
        return self._reply(listed, None, known_user=history.user_exists, degraded=("model",))

    def _reply(
        self,
        listed: tuple[Recommendation, ...],
        model: str | None,
        *,
        known_user: bool,
        degraded: tuple[Degraded, ...],
    ) -> RecommendationsReply:
        return RecommendationsReply(
            recommendations=listed,
            generated_at=datetime.now(UTC),
            ttl_seconds=0 if degraded else self._settings.service.cache_ttl_s,
            model=model,
            known_user=known_user,
            degraded=degraded,
        )

    def _model(self) -> Model:
        if self.models.current is None:
            raise ModelMissing("no model has been trained yet")
        return self.models.current

    def _degraded(self) -> tuple[Degraded, ...]:
        return ("database",) if self.connections.is_away else ()

    def _limit(self, limit: int | None) -> int:
        most = self._settings.service.most_titles
        if limit is not None and limit > most:
            raise bad_request("the request is not valid", Fault("limit", f"at most {most} titles may be asked for"))
        return limit or min(self._settings.recommend.top_k, most)

    def _eligibility(self, exclude_watched: bool | None) -> Eligibility:
        wanted = self._settings.recommend.exclude_watched if exclude_watched is None else exclude_watched
        return replace(self._eligible, watched=not wanted)

    def _refresh_titles(self) -> None:
        now = time.monotonic()
        if now - self._eligible_at > ELIGIBLE_FOR_S:
            settings = self._settings.recommend
            self._eligible = self.connections.run(
                lambda connection: eligible_titles(connection, settings, datetime.now(UTC))
            )
            self._eligible_at = now
        if self.models.current is None and now - self._popular_at > POPULAR_FOR_S:
            self._popular = self.connections.run(self._read_popular)
            self._popular_at = now

    def _read_popular(self, connection: Connection[TupleRow]) -> list[queries.CataloguePopularRow]:
        return queries.catalogue_popular(
            connection,
            half_life_days=self._settings.context.half_life_days,
            minimum_completion=self._settings.graph.minimum_completion,
            top_k=POPULAR_TITLES,
        )


def _context(asked: RequestContext) -> Context:
    return Context(asked.time_of_day, asked.device_type, asked.mood, asked.viewing_with)


def _is_listable(content_id: str, eligible: Eligibility, seen: frozenset[str]) -> bool:
    allowed = (eligible.only is None or content_id in eligible.only) and content_id not in eligible.never
    return allowed and content_id not in seen


def event_faults(connection: Connection[TupleRow], events: Sequence[ViewingEvent | None]) -> list[Fault]:
    """Find why events cannot be stored though each can be read; None is one that cannot, and keeps its place."""
    now = time.time()
    unknown = set(unknown_titles(connection, [event.content_id for event in events if event is not None]))
    faults = []
    for place, event in enumerate(events):
        if event is None:
            continue
        if event.content_id in unknown:
            faults.append(Fault(f"viewing_events[{place}].content_id", f"there is no content {event.content_id!r}"))
        if event.at.timestamp() > now + CLOCK_SKEW_S:
            faults.append(Fault(f"viewing_events[{place}].at", f"{event.at.isoformat()} is in the future"))
        if event.at.timestamp() < 0:
            faults.append(Fault(f"viewing_events[{place}].at", f"{event.at.isoformat()} is before 1970"))
    return faults


def _store_events(
    connection: Connection[TupleRow], user: int, events: Sequence[ViewingEvent]
) -> list[queries.ProfileAddEventsRow]:
    return queries.profile_add_events(
        connection,
        user_id=user,
        content_ids=[event.content_id for event in events],
        at=[event.at for event in events],
        completion_rates=[_completion(event) for event in events],
        ratings=[event.rating or 0.0 for event in events],
        are_rewatched=[event.is_rewatch for event in events],
        are_dismissed=[event.dismissed for event in events],
        devices=[event.device or "" for event in events],
    )


def _completion(event: ViewingEvent) -> float:
    if isinstance(event.completion_rate, float):
        return event.completion_rate
    return 0.0 if event.dismissed else 1.0
