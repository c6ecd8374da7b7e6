"""What requests and answers look like. The docstrings here are the descriptions in the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^\x00]*$")]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Limit: TypeAlias = Annotated[int, Meta(ge=1)]
Moment: TypeAlias = Annotated[datetime, Meta(tz=True, description="RFC 3339, with its zone.")]
Device: TypeAlias = Literal["tv", "phone", "tablet", "desktop"]
Degraded: TypeAlias = Literal["database", "model"]

ExperimentStatus: TypeAlias = Literal["draft", "running", "paused", "completed", "archived"]

MOST_EVENTS = 1_000


class RequestContext(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The moment at which somebody asks; what is left out is not known."""

    mood: Literal["happy", "sad", "relaxed", "excited", "scared", "thoughtful", "adventurous", "romantic"] | None = None
    time_of_day: Literal["night", "morning", "afternoon", "evening"] | None = None
    device_type: Device | None = None
    viewing_with: tuple[Literal["children", "family", "partner", "friends"], ...] = ()


class RecommendationsRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who asks, and for what. `genres` are those that a new user says to like."""

    user_id: Id
    context: RequestContext = RequestContext()
    limit: Limit | None = None
    exclude_watched: bool | None = None
    diversity_threshold: Share | None = None
    genres: tuple[Id, ...] = ()


class Recommendation(Struct, frozen=True, kw_only=True):
    """One title, with the watched titles that speak for it and why, in words.

    `experiment_variant` is there where the user takes part in experiments: `experiment:variant`, comma between several.
    """

    content_id: str
    title: str
    confidence_score: float
    recommendation_type: Literal[
        "collaborative", "content_based", "graph_based", "context_aware", "hybrid", "cold_start"
    ]
    based_on: tuple[str, ...]
    explanation: str
    experiment_variant: str | UnsetType = UNSET


class RecommendationsReply(Struct, frozen=True, kw_only=True):
    """A list, best first. `degraded` names what was away: the answer is made from what was left."""

    recommendations: tuple[Recommendation, ...]
    generated_at: datetime
    ttl_seconds: int
    model: str | None
    known_user: bool
    degraded: tuple[Degraded, ...] = ()


class SimilarRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which title to find others like."""

    content_id: Id
    limit: Limit | None = None


class SimilarTitle(Struct, frozen=True, kw_only=True):
    """A title whose viewers are like those of the one asked for; the similarity is a cosine, -1 to 1."""

    content_id: str
    title: str
    similarity: float


class SimilarReply(Struct, frozen=True, kw_only=True):
    """Titles, most similar first."""

    content_id: str
    similar_content: tuple[SimilarTitle, ...]
    model: str
    degraded: tuple[Degraded, ...] = ()


class ScoreRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How well a title suits a user."""

    user_id: Id
    content_id: Id
    context: RequestContext = RequestContext()


class ScoreComponents(Struct, frozen=True, kw_only=True):
    """What each source and the user's adapter give to the score; below 0 where they speak against the title."""

    collaborative: float
    content_based: float
    graph_based: float
    context: float
    lora_boost: float


class ScoreReply(Struct, frozen=True, kw_only=True):
    """The score is the sum of its components; 1 would be the best title of every source at once."""

    user_id: str
    content_id: str
    score: float
    components: ScoreComponents
    model: str
    degraded: tuple[Degraded, ...] = ()


class ViewingEvent(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody watched, rated or dismissed a title. One user, title and time is one event, however often it is sent.

    Without `completion_rate` a title was watched to its end, or not at all where it was dismissed.
    """

    content_id: Id
    at: Moment
    completion_rate: Share | UnsetType = UNSET
    rating: Annotated[float, Meta(ge=1, le=5)] | None = None
    is_rewatch: bool = False
    dismissed: bool = False
    device: Device | None = None


class ProfileUpdateRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Events of one user: all are stored, or none."""

    user_id: Id
    viewing_events: Annotated[tuple[ViewingEvent, ...], Meta(min_length=1, max_length=MOST_EVENTS)]


class ProfileUpdateReply(Struct, frozen=True, kw_only=True):
    """What was done: `events_new` of the events were not there before. Without a model no vector was made."""

    status: Literal["updated"]
    user_id: str
    events_processed: int
    events_new: int
    preference_vector_dim: int | None


class LoraTrainRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whose adapter to train from the events up to now.

    `force` stores it whatever held-out titles say, and as a new version though it is the same as before.
    """

    user_id: Id
    force: bool = False


class LoraTrainReply(Struct, frozen=True, kw_only=True):
    """What was done.

    `unchanged`: the adapter that is stored is the same already. `unsupported`: the titles that were held out when
    all adapters were trained do not speak for it, and none was stored. An adapter is the exact solution of a system of
    equations, so there is one iteration, and none where nothing was stored.
    """

    status: Literal["trained", "unchanged", "unsupported"]
    user_id: str
    duration_ms: float
    training_iterations: int
    events_used: int
    version: int | None


class ExperimentSummary(Struct, frozen=True, kw_only=True):
    """An experiment in a list, with the users who were exposed to it."""

    name: str
    status: ExperimentStatus
    users: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class ExperimentsReply(Struct, frozen=True, kw_only=True):
    """Experiments, the newest first; archived ones are left out."""

    experiments: tuple[ExperimentSummary, ...]


class StatusRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where an experiment is to go, and why, for the audit trail."""

    status: Literal["running", "paused", "completed", "archived"]
    why: Annotated[str, Meta(max_length=1000)] = ""


class ConversionEvent(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A user did something that metrics count; without `at`, now.

    One `idempotency_key` is one conversion, however often it is sent. Without `experiment` it is for every experiment
    that counts the event.
    """

    user_id: Id
    event: Id
    idempotency_key: Id
    value: float = 1.0
    at: Moment | UnsetType = UNSET
    experiment: Id | None = None


class ConversionsRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Conversions: all are recorded, or none."""

    conversions: Annotated[tuple[ConversionEvent, ...], Meta(min_length=1, max_length=MOST_EVENTS)]


class ConversionsReply(Struct, frozen=True, kw_only=True):
    """How many there were, and how many rows are new: one for each experiment that counts a conversion."""

    given: int
    new: int


class ModelHealth(Struct, frozen=True, kw_only=True):
    """The model that answers, and the shared tier of its adapters; `error` says why a newer model does not."""

    name: str | None
    adapters: str | None
    loaded_at: datetime | None
    error: str | None = None


class HealthReply(Struct, frozen=True, kw_only=True):
    """`degraded` still answers, with what is left; `unhealthy` does not."""

    status: Literal["ok", "degraded", "unhealthy"]
    version: str
    model: ModelHealth
    database: Literal["ok", "away"]
    uptime_seconds: float
