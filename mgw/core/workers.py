"""Processes, sockets and signals of what answers over HTTP: granian in front, one application in each worker.

The main process only watches: it starts the workers, starts one anew that died, and on SIGTERM or Ctrl-C lets each
finish what is under way. A worker does not outlive it.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from mgw.core.errors import AddressInUse, AddressInvalid
from mgw.core.listeners import holder_of
from mgw.core.processes import bind_to_parent

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from pathlib import Path

_BACKLOG = 4_096
_ENDINGS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class Listening:
    """Where and how to listen.

    Attributes:
        host: the address.
        port: the port.
        workers: processes that answer.
        drain_s: how long requests that are under way may take in the end.
        setting: the section of the settings that `host` is of, for messages.
        connections: that a worker keeps open at once; None is what granian has.
        header_timeout_s: for the head of a request.
        websockets: whether the application takes any.
        http2: whether it is spoken, too.
        cert_file: a certificate as PEM, for TLS; None is HTTP without.
        key_file: its key.
        min_tls: the oldest version.
    """

    host: str
    port: int
    workers: int
    drain_s: int
    setting: str
    connections: int | None = None
    header_timeout_s: float = 30.0
    websockets: bool = False
    http2: bool = True
    cert_file: Path | None = None
    key_file: Path | None = None
    min_tls: Literal["1.2", "1.3"] = "1.3"


def serve_with(listening: Listening, make: Callable[[], Any], on_listening: Callable[[], None]) -> None:
    """Run workers until SIGTERM or SIGINT.

    Args:
        listening: where.
        make: makes the application, in each worker; it is sent there, so it may be a `partial` of a function.
        on_listening: called when requests can arrive.

    Raises:
        AddressInUse, AddressInvalid: there is no listening on the address.
    """
    check_address(listening)
    multiprocessing.set_start_method("spawn", force=True)  # a child knows nothing but what it is given
    server = Server(
        f"{make}",
        address=listening.host,
        port=listening.port,
        interface=Interfaces.RSGI,
        workers=listening.workers,
        loop=Loops.uvloop,
        http=HTTPModes.auto if listening.http2 else HTTPModes.http1,
        websockets=listening.websockets,
        http1_settings=HTTP1Settings(header_read_timeout=int(1000 * listening.header_timeout_s)),
        backlog=_BACKLOG,
        backpressure=listening.connections,
        ssl_cert=listening.cert_file,
        ssl_key=listening.key_file,
        ssl_protocol_min=SSLProtocols.tls12 if listening.min_tls == "1.2" else SSLProtocols.tls13,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=listening.drain_s,
    )
    server.on_startup(on_listening)
    server.serve(target_loader=make, wrap_loader=False)


def begin_worker(parent: int) -> None:
    """Prepare a worker: its log goes to stderr, and it ends when the parent does, even where that is killed."""
    bind_to_parent(parent)
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("mgw").setLevel(logging.INFO)  # our own news too; of libraries only warnings


def keep_endings(loop: asyncio.AbstractEventLoop, *, parent: int) -> None:
    """Keep a signal to end that comes while the worker starts, and send it anew when the event loop runs.

    The same is done where the parent is gone by then, whose signal may have come before this.

    The handlers that granian has set by then are the loop's, which forgets what comes before it runs: the worker would
    not end until it is killed.
    """
    kept: list[int] = []
    handlers = {each: signal.signal(each, lambda number, _frame: kept.append(number)) for each in _ENDINGS}

    def hand_over() -> None:
        for each, handler in handlers.items():
            signal.signal(each, handler)
            signal.siginterrupt(each, False)
        for number in kept or ([signal.SIGTERM] if os.getppid() != parent else []):
            signal.raise_signal(number)

    loop.call_soon(hand_over)


def check_address(listening: Listening) -> None:
    """Refuse an address that is taken: each worker listens by itself, and would share it with a stranger.

    Raises:
        AddressInUse, AddressInvalid: there is no listening on the address.
    """
    host, port = listening.host, listening.port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise AddressInvalid(f"{listening.setting}.host: {host!r} is no address: {error.strerror}") from error
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if isinstance(error, PermissionError):
                raise AddressInvalid(f"port {port} may not be listened on", hint="take one above 1023") from error
            raise address_in_use(listening, error.strerror or str(error)) from error


def address_in_use(listening: Listening, reason: str) -> AddressInUse:
    """Return the error that says why an address cannot be had, and by whom it is held where that is known."""
    holder = holder_of(listening.port)
    by = f", by {holder}" if holder else ""
    return AddressInUse(
        f"{listening.host}:{listening.port} cannot be listened on: {reason}{by}",
        hint=f"take another: {listening.setting}.port, or --port beside --only {listening.setting}",
    )
