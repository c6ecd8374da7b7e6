"""The way to the upstreams, as the rest of the gateway sees it; `pyreqwest_transport` is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from mgw.gateway.definition import Timeouts
    from mgw.gateway.headers import Headers


class UpstreamError(Exception):
    """An upstream did not answer as it should.

    Attributes:
        sent: whether the upstream may have seen the request.
        message: for the log; clients are not told.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.message = message
        self.sent = sent


class UpstreamUnreachable(UpstreamError):
    """There was no connection."""


class UpstreamSlow(UpstreamError):
    """It took longer than it may."""


class UpstreamBroken(UpstreamError):
    """The connection ended, or what came was not HTTP."""


class Answer(Protocol):
    """What an upstream answers.

    Attributes:
        status: of HTTP.
        headers: end to end, in their order, the names lower.
    """

    status: int
    headers: Headers

    def body(self) -> AsyncIterator[bytes]:
        """Yield the body, piece by piece.

        Raises:
            UpstreamError: it ended before its end, or took too long.
        """

    def whole(self) -> Awaitable[bytes]:
        """Return the body in one piece; as `body`."""

    def close(self) -> Awaitable[None]:
        """Let the connection go; one whose body was not read to its end is not used again."""


class Transport(Protocol):
    """Sends requests; one for all upstreams of a process."""

    async def send(
        self, method: str, url: str, headers: Headers, body: AsyncIterator[bytes] | bytes | None, timeouts: Timeouts
    ) -> Answer:
        """Send a request and return when the answer has begun.

        Raises:
            UpstreamError: there is none.
        """

    async def close(self) -> None:
        """Close the connections that are kept."""
