"""The table of what can be asked of the service."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from mgw.service.messages import (
    HealthReply,
    LoraTrainReply,
    LoraTrainRequest,
    ProfileUpdateReply,
    ProfileUpdateRequest,
    RecommendationsReply,
    RecommendationsRequest,
    ScoreReply,
    ScoreRequest,
    SimilarReply,
    SimilarRequest,
)

if TYPE_CHECKING:
    from msgspec import Struct

PREFIX = "/api/v1"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One thing that can be asked.

    Attributes:
        name: of the method that answers.
        method: of HTTP.
        path: whole.
        summary: in a line.
        request: what the body is; None where there is none.
        reply: what is answered.
        refusals: with which status a request may be refused, and when.
    """

    name: str
    method: str
    path: str
    summary: str
    request: type[Struct] | None
    reply: type[Struct]
    refusals: tuple[tuple[HTTPStatus, str], ...] = ()


_INVALID = (HTTPStatus.BAD_REQUEST, "The body is no JSON, or not what is asked for; `details` has every fault.")
_TOO_LARGE = (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is longer than `service.body_limit_bytes`.")
_BUSY = (HTTPStatus.SERVICE_UNAVAILABLE, "Too many requests wait, or what is needed is away: `retry_after` says when.")
_LATE = (HTTPStatus.GATEWAY_TIMEOUT, "There was no answer within `service.deadline_s`.")
_USUAL: tuple[tuple[HTTPStatus, str], ...] = (_INVALID, _TOO_LARGE, _BUSY, _LATE)


def _missing(what: str) -> tuple[HTTPStatus, str]:
    return (HTTPStatus.NOT_FOUND, what)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "recommend", "POST", f"{PREFIX}/recommendations",
        "Recommend titles to a user; somebody unknown gets what is popular.",
        RecommendationsRequest, RecommendationsReply, _USUAL,
    ),
    Endpoint(
        "similar", "POST", f"{PREFIX}/recommendations/similar",
        "Find the titles whose viewers are most like those of another.",
        SimilarRequest, SimilarReply, (*_USUAL, _missing("The model does not know the title.")),
    ),
    Endpoint(
        "score", "POST", f"{PREFIX}/personalization/score",
        "Score one title for a user, source by source.",
        ScoreRequest, ScoreReply, (*_USUAL, _missing("There is no such user, or the model does not know the title.")),
    ),
    Endpoint(
        "update", "POST", f"{PREFIX}/profile/update",
        "Store events of a user, all or none, and make the profile anew; to send the same twice changes nothing.",
        ProfileUpdateRequest, ProfileUpdateReply, _USUAL,
    ),
    Endpoint(
        "train", "POST", f"{PREFIX}/lora/train",
        "Train a user's adapter from the events up to now; the next answer uses it.",
        LoraTrainRequest, LoraTrainReply,
        (*_USUAL, (HTTPStatus.BAD_REQUEST, _INVALID[1] + " Or the user has too few titles, and it says how many."),
         _missing("There is no such user.")),
    ),
    Endpoint("health", "GET", f"{PREFIX}/health", "Say how the service is.", None, HealthReply),
    Endpoint(
        "ready", "GET", f"{PREFIX}/health/ready", "Say whether the service can answer.", None, HealthReply,
        ((HTTPStatus.SERVICE_UNAVAILABLE, "There is neither a model nor a database."),),
    ),
)  # fmt: skip

ALIASES: dict[str, str] = {"/health": f"{PREFIX}/health", "/health/ready": f"{PREFIX}/health/ready"}
"""Where probes look who know nothing of a prefix."""


def as_table(endpoints: tuple[Endpoint, ...]) -> dict[str, dict[str, Endpoint]]:
    """Return the endpoints by path and method."""
    table: dict[str, dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        table.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    return table | {alias: table[path] for alias, path in ALIASES.items()}


def message_types(endpoints: tuple[Endpoint, ...]) -> list[Any]:
    """Return every type of request and reply, each once, in the order of the table."""
    found = [each for endpoint in endpoints for each in (endpoint.request, endpoint.reply) if each is not None]
    return list(dict.fromkeys(found))
