"""The table of what can be asked of the service."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from mgw.experiments.definition import Definition
from mgw.experiments.documents import ExperimentDocument, ReportDocument
from mgw.service.messages import (
    ConversionsReply,
    ConversionsRequest,
    ExperimentsReply,
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
    StatusRequest,
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


def _conflict(what: str) -> tuple[HTTPStatus, str]:
    return (HTTPStatus.CONFLICT, what)


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
    Endpoint(
        "experiments.create", "POST", f"{PREFIX}/experiments",
        "Create an experiment, as a draft that nobody takes part in yet.",
        Definition, ExperimentDocument, (*_USUAL, _conflict("There is an experiment of this name.")),
    ),
    Endpoint(
        "experiments.list", "GET", f"{PREFIX}/experiments", "List experiments, the newest first.",
        None, ExperimentsReply, (_BUSY, _LATE),
    ),
    Endpoint(
        "experiments.convert", "POST", f"{PREFIX}/experiments/conversions",
        "Record conversions, all or none; to send the same twice changes nothing.",
        ConversionsRequest, ConversionsReply, _USUAL,
    ),
    Endpoint(
        "experiments.show", "GET", f"{PREFIX}/experiments/{{name}}", "Show an experiment.",
        None, ExperimentDocument, (_BUSY, _LATE, _missing("There is no such experiment.")),
    ),
    Endpoint(
        "experiments.set_status", "PUT", f"{PREFIX}/experiments/{{name}}/status",
        "Start, pause, resume, complete or archive an experiment.",
        StatusRequest, ExperimentDocument,
        (*_USUAL, _missing("There is no such experiment."), _conflict("There is no way from where it is.")),
    ),
    Endpoint(
        "experiments.metrics", "GET", f"{PREFIX}/experiments/{{name}}/metrics",
        "Report on an experiment: who is in it, each metric of each variant, and what follows.",
        None, ReportDocument, (_BUSY, _LATE, _missing("There is no such experiment.")),
    ),
    Endpoint("health", "GET", f"{PREFIX}/health", "Say how the service is.", None, HealthReply),
    Endpoint(
        "ready", "GET", f"{PREFIX}/health/ready", "Say whether the service can answer.", None, HealthReply,
        ((HTTPStatus.SERVICE_UNAVAILABLE, "There is neither a model nor a database."),),
    ),
)  # fmt: skip

_NAME = "{name}"

ALIASES: dict[str, str] = {"/health": f"{PREFIX}/health", "/health/ready": f"{PREFIX}/health/ready"}
"""Where probes look who know nothing of a prefix."""


class Routes:
    """The endpoints by path; where a path has a name in it, a path without comes first."""

    def __init__(self, endpoints: tuple[Endpoint, ...]) -> None:
        table: dict[str, dict[str, Endpoint]] = {}
        for endpoint in endpoints:
            table.setdefault(endpoint.path, {})[endpoint.method] = endpoint
        self._exact = table | {alias: table[path] for alias, path in ALIASES.items()}
        named = (path for path in table if _NAME in path)
        self._named = [(*path.split(_NAME), path) for path in named]

    def find(self, path: str) -> tuple[dict[str, Endpoint], str] | None:
        """Return what a path takes by method, and the name in it; None where there is nothing."""
        template, name = self._split(path)
        return (self._exact[template], unquote(name)) if template else None

    def template(self, path: str) -> str:
        """Return the path with `{name}` in place of a name; empty where there is nothing."""
        return self._split(path)[0]

    def _split(self, path: str) -> tuple[str, str]:
        if path in self._exact:
            return path, ""
        for before, after, template in self._named:
            name = path[len(before) : len(path) - len(after)]
            if path == f"{before}{name}{after}" and name and "/" not in name:
                return template, name
        return "", ""


def message_types(endpoints: tuple[Endpoint, ...]) -> list[Any]:
    """Return every type of request and reply, each once, in the order of the table."""
    found = [each for endpoint in endpoints for each in (endpoint.request, endpoint.reply) if each is not None]
    return list(dict.fromkeys(found))
