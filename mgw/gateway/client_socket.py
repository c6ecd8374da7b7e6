"""The client's own socket, which the server in front keeps to itself, for what it does not do.

An answer of unknown length ends with an empty chunk, and the server writes that one however the application ends: so a
connection is shut down where an answer broke off. And it takes whatever it is given to send, however little of it the
client has taken: so a long answer waits until the client's machine has acknowledged what was sent before.

The socket is found among those of the process by the address of the client.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import sys
import time
from http import HTTPStatus
from pathlib import Path

from mgw.core.problems import Problem

_TCP_INFO_BYTES = 128
_ACKNOWLEDGED = struct.Struct("=120xQ")
"""Where Linux has `tcpi_bytes_acked` in `struct tcp_info`."""

WINDOW_BYTES = 2_097_152
"""How much a client may be behind."""

_LOOK_BYTES = 262_144
_SHORTEST_WAIT_S, _LONGEST_WAIT_S = 0.002, 0.1


def cut_connection(client: str) -> bool:
    """Shut the connection of a client down; False where it was not found.

    Args:
        client: its address and port, as `host:port`.
    """
    found = _found(client)
    if found is None:
        return False
    with found, contextlib.suppress(OSError):
        found.shutdown(socket.SHUT_RDWR)
    return True


class Flow:
    """How far a client is behind what it was sent; where that cannot be known, nobody waits.

    Args:
        client: its address and port, as `host:port`.
        patience_s: after so long without anything taken, it is given up.
    """

    def __init__(self, client: str, patience_s: float) -> None:
        self._client = client
        self._patience_s = patience_s
        self._sent = 0
        self._look_at = WINDOW_BYTES
        self._socket: socket.socket | None = None
        self._before = 0

    async def sent(self, size: int) -> None:
        """Take note of what was sent, and wait where the client is too far behind.

        Raises:
            Problem: it takes nothing any more.
        """
        self._sent += size
        if self._sent < self._look_at:
            return
        self._look_at = self._sent + _LOOK_BYTES
        if self._socket is None and not await self._find():
            self._look_at = sys.maxsize
            return
        await self._catch_up()

    def end(self) -> None:
        """Let the socket go."""
        if self._socket is not None:
            self._socket.close()

    async def _find(self) -> bool:
        if sys.platform != "linux":
            return False
        self._socket = await asyncio.to_thread(_found, self._client)
        # What the connection carried before this answer is not known: all of this one may be under way still.
        self._before = max(self._acknowledged() - self._sent, 0)
        return self._socket is not None

    async def _catch_up(self) -> None:
        """Wait until no more than a window is under way, or two on a connection that carried other answers before."""
        taken, wait_s, since = self._acknowledged(), _SHORTEST_WAIT_S, time.monotonic()
        while self._sent - taken > WINDOW_BYTES:
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            now = self._acknowledged()
            if now > taken:
                taken, since = now, time.monotonic()
            elif time.monotonic() - since > self._patience_s:
                raise Problem(HTTPStatus.REQUEST_TIMEOUT, "TIMEOUT", "the client takes nothing any more")

    def _acknowledged(self) -> int:
        if self._socket is None:
            return sys.maxsize
        try:
            info = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
            return int(_ACKNOWLEDGED.unpack(info)[0]) - self._before
        except (OSError, struct.error):  # it is closed: that comes to light when more is sent
            return sys.maxsize


def _found(client: str) -> socket.socket | None:
    """Return another handle of a client's socket."""
    host, _, port = client.rpartition(":")
    folder = Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")
    for entry in list(folder.iterdir()):
        one = _socket_of(int(entry.name))
        if one is None:
            continue
        if _is_of(one, host.strip("[]"), port):
            return one
        one.close()
    return None


def _socket_of(descriptor: int) -> socket.socket | None:
    """Return another handle of a socket; None where the descriptor is of anything else, or closed by now."""
    try:
        other = os.dup(descriptor)
    except OSError:
        return None
    try:
        return socket.socket(fileno=other)
    except OSError:
        os.close(other)
        return None


def _is_of(one: socket.socket, host: str, port: str) -> bool:
    if one.family not in {socket.AF_INET, socket.AF_INET6} or one.type != socket.SOCK_STREAM:
        return False
    try:
        peer = one.getpeername()
    except OSError:
        return False
    return bool(peer[0] == host and str(peer[1]) == port)
