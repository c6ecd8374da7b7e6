"""How the errors of the program are answered."""

from __future__ import annotations

from http import HTTPStatus

from mgw.core.errors import (
    AdaptersMissing,
    ContentUnknown,
    DatabaseError,
    ExperimentExists,
    ExperimentInvalid,
    ExperimentStatusInvalid,
    ExperimentUnknown,
    MgwError,
    ModelError,
    ModelMissing,
    TooFewEvents,
    UsageInvalid,
    UserUnknown,
)
from mgw.core.problems import Problem, bad_request, internal_error, unavailable

_AWAY: dict[type[MgwError], str] = {
    AdaptersMissing: "no adapters have been trained for the model in use",
    ModelMissing: "no model has been trained yet",
    DatabaseError: "the database does not answer as it should",
    ModelError: "the model cannot be used",
}
"""What is said of what may be there a moment later; the first that fits."""


def problem_of(error: MgwError) -> Problem:
    """Return how an error of the program is answered; what is a fault of ours is not explained to strangers."""
    if isinstance(error, UsageInvalid):
        hint = f" ({error.hint})" if error.hint else ""
        return bad_request(f"{error.message}{hint}")
    if isinstance(error, (ContentUnknown, UserUnknown, ExperimentUnknown)):
        return Problem(HTTPStatus.NOT_FOUND, error.code, error.message)
    if isinstance(error, (TooFewEvents, ExperimentInvalid)):
        return Problem(HTTPStatus.BAD_REQUEST, error.code, error.message)
    if isinstance(error, (ExperimentExists, ExperimentStatusInvalid)):
        return Problem(HTTPStatus.CONFLICT, error.code, error.message)
    message = next((message for kind, message in _AWAY.items() if isinstance(error, kind)), None)
    return internal_error() if message is None else unavailable(message, error.code)
