"""What a request over HTTP can be refused for, in the shape that all errors have.

{"error": {"code": …, "message": …, "request_id": …, "retry_after"?: …, "details"?: [{"at": …, "message": …}]}}
"""

from __future__ import annotations

from http import HTTPStatus

from msgspec import UNSET, Struct, UnsetType

ACTOR = "x-actor"
"""The header in which a program says to an admin API for whom it asks: whoever shows the token is believed."""


class Fault(Struct, frozen=True):
    """One thing that is wrong with a request.

    Attributes:
        at: where, as `viewing_events[3].rating`; empty for the whole.
        message: what.
    """

    at: str
    message: str


class ErrorBody(Struct, frozen=True, omit_defaults=True):
    """What is wrong.

    Attributes:
        code: for programs.
        message: for people.
        request_id: under which the log has it.
        retry_after: seconds after which asking again makes sense.
        details: every fault of the request.
    """

    code: str
    message: str
    request_id: str
    retry_after: int | UnsetType = UNSET
    details: tuple[Fault, ...] | UnsetType = UNSET


class ErrorReply(Struct, frozen=True):
    """The answer to a request that was refused."""

    error: ErrorBody


class Problem(Exception):
    """A request that is refused.

    Attributes:
        status: of HTTP.
        code: for programs.
        message: for people.
        retry_after: seconds after which asking again makes sense, or None.
        faults: of the request, where it is at fault.
        headers: to be sent besides.
    """

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        message: str,
        *,
        retry_after: int | None = None,
        faults: tuple[Fault, ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after
        self.faults = faults
        self.headers = headers

    def reply(self, request_id: str) -> ErrorReply:
        """Return what is answered."""
        retry_after = UNSET if self.retry_after is None else self.retry_after
        return ErrorReply(ErrorBody(self.code, self.message, request_id, retry_after, self.faults or UNSET))


def bad_request(message: str, *faults: Fault) -> Problem:
    """Refuse a request that is at fault itself."""
    return Problem(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", message, faults=faults)


def unavailable(message: str, code: str = "SERVICE_UNAVAILABLE") -> Problem:
    """Refuse a request that would do well a second later."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, code, message, retry_after=1)


def internal_error() -> Problem:
    """Admit a fault of ours."""
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", "a fault of ours; the log says more")
