"""The access log: a line of JSON for each request, gathered and written together.

Python's logging takes as long for a line as routing, limits and headers take for the request.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import asyncio

    from mgw.gateway.exchange import Exchange

_MOST_BYTES = 65_536
_WAIT_S = 0.2
_LONGEST_ID = 128


class AccessLog:
    """Lines on their way to a file.

    Args:
        descriptor: of the file.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._encoder = msgspec.json.Encoder()
        self._waiting = bytearray()
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Write what waits from time to time, by this event loop."""
        self._loop = loop

    def add(self, exchange: Exchange) -> None:
        """Keep a line on a request that is done, and have it written soon."""
        line = {
            "method": exchange.method, "path": exchange.path, "route": exchange.template, "status": exchange.status,
            "upstream": exchange.upstream, "client": exchange.client, "user": exchange.user_id,
            "request_id": exchange.request_id,
            "correlation_id": exchange.named.get("x-correlation-id", exchange.request_id)[:_LONGEST_ID],
            "trace_id": exchange.trace.trace_id if exchange.trace else "", "cache": exchange.cache,
            "duration_ms": round(1000 * exchange.seconds, 3),
        }  # fmt: skip
        if not self._waiting and self._loop is not None:
            self._loop.call_later(_WAIT_S, self.flush)
        self._encoder.encode_into(line, self._waiting, -1)
        self._waiting += b"\n"
        if len(self._waiting) > _MOST_BYTES or self._loop is None:
            self.flush()

    def flush(self) -> None:
        """Write what waits; a reader that is gone ends no request."""
        waiting, self._waiting = bytes(self._waiting), bytearray()
        while waiting:
            try:
                waiting = waiting[os.write(self._descriptor, waiting) :]
            except OSError:
                return
