"""Commands between the main process and its workers: one line of JSON there, one back, over a socket of the machine."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

_log = logging.getLogger(__name__)
_LONGEST = 1_048_576
_PATIENCE_S = 5.0


class Purge(Struct, frozen=True, tag="purge"):
    """Forget answers.

    Attributes:
        by: `url` is path and query as a client asks for them, `prefix` the beginning of a path, `tag` one of those that
            the upstream gave an answer in `Cache-Tag`; `everything` needs no value.
        value: which.
        is_first: whether the worker is the first that hears it, and tells what is shared.
    """

    by: Literal["url", "prefix", "tag", "everything"]
    value: str = ""
    is_first: bool = False


class SetBreaker(Struct, frozen=True, tag="breaker"):
    """Leave an upstream alone, ask it whatever it does, or decide by its answers again.

    Attributes:
        upstream: its name.
        to: what.
    """

    upstream: str
    to: Literal["open", "closed", "auto"]


class Reload(Struct, frozen=True, tag="reload"):
    """Take what the runtime folder says of the file."""


class Report(Struct, frozen=True, tag="report"):
    """Say how things stand."""


Command = Purge | SetBreaker | Reload | Report


class WorkerLink:
    """Takes commands in a worker.

    Args:
        path: of the socket.
        carry_out: does what is asked, and returns what is answered.
    """

    def __init__(self, path: Path, carry_out: Callable[[Command], Awaitable[Any]]) -> None:
        self._path = path
        self._carry_out = carry_out
        self._server: asyncio.AbstractServer | None = None

    async def begin(self) -> None:
        """Listen."""
        self._server = await asyncio.start_unix_server(self._serve, self._path)

    def end(self) -> None:
        """Listen no longer."""
        if self._server is not None:
            self._server.close()
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            command = msgspec.json.decode(await reader.readline(), type=Command)
            answer = {"done": await self._carry_out(command)}
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is for whoever asked
            _log.warning("a command failed: %s", error)
            answer = {"error": str(error)}
        with contextlib.suppress(OSError):
            writer.write(msgspec.json.encode(answer) + b"\n")
            await writer.drain()
            writer.close()


class CommandFailed(Exception):
    """A worker did not do what it was told."""


def ask(path: Path, command: Command) -> Any:  # noqa: ANN401 - as many kinds of answers as commands
    """Send a command to a worker and return what it answers.

    Raises:
        CommandFailed: it does not answer, or says why it cannot.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_PATIENCE_S)
            connection.connect(str(path))
            connection.sendall(msgspec.json.encode(command) + b"\n")
            received = b""
            while not received.endswith(b"\n") and len(received) < _LONGEST:
                piece = connection.recv(65_536)
                if not piece:
                    break
                received += piece
        answer = msgspec.json.decode(received)
    except (OSError, msgspec.DecodeError) as error:
        raise CommandFailed(f"worker {path.stem} does not answer: {error}") from error
    if "error" in answer:
        raise CommandFailed(str(answer["error"]))
    return answer["done"]
