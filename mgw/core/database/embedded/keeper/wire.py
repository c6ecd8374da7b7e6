"""What a client and the keeper say to each other: the messages, and how they are read and written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    import socket

PROTOCOL = 1
SOCKET_NAME = "keeper.sock"
LOCK_NAME = "lock"
KEEPER_LOG = "keeper.log"
SERVER_LOG = "server.log"
DATA_NAME = "data"
PORT = 5432
LINE_LIMIT_BYTES = 1 << 16


class Launch(TypedDict):
    """What the keeper needs to know to run a server.

    Attributes:
        home: absolute path of the folder with the data directory, the logs, the lock and the keeper's socket.
        postgres: absolute path of the executable.
        version: its version, such as `18.4`.
        uid: user id that the server runs as; only used by a keeper that runs as root.
        gid: its group id.
    """

    home: str
    postgres: str
    version: str
    uid: int
    gid: int


class Status(TypedDict):
    """How a running server is doing.

    Attributes:
        pid: process id of `postgres`.
        keeper_pid: process id of its keeper.
        pinned: whether the server goes on without leases.
        leases: how many leases are held.
        version: version of PostgreSQL, such as `18.4`.
        url: where to connect, for libpq.
        uptime_s: seconds since it accepted connections.
    """

    pid: int
    keeper_pid: int
    pinned: bool
    leases: int
    version: str
    url: str
    uptime_s: float


def encode(**message: object) -> bytes:
    """Return a message as a line."""
    return json.dumps({"protocol": PROTOCOL, **message}).encode() + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """Return the message in a line.

    Raises:
        ValueError: the line is not a JSON object.
    """
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - malformed JSON is a ValueError as well
    return message


def receive(connection: socket.socket) -> dict[str, Any] | None:
    """Wait for one message; None where the other side closed the connection first."""
    line = b""
    while not line.endswith(b"\n"):
        part = connection.recv(LINE_LIMIT_BYTES)
        if not part or len(line) > LINE_LIMIT_BYTES:
            return None
        line += part
    return decode(line)
