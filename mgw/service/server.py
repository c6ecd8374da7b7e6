"""Processes, sockets and signals: granian in front, one application in each worker.

The main process only watches: it starts the workers, starts one anew that died, and on SIGTERM or Ctrl-C lets each
finish what is under way. A worker does not outlive it.
"""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import os
import signal
import socket
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from granian.constants import Interfaces, Loops
from granian.log import LogLevels
from granian.server import Server
from threadpoolctl import threadpool_limits

from mgw.core.artifacts import ModelStore
from mgw.core.database import Database
from mgw.core.errors import AddressInUse, AddressInvalid
from mgw.core.settings import resolve_path
from mgw.service.answers import Answers
from mgw.service.application import Application
from mgw.service.cache import ResultCache
from mgw.service.clock import Clock
from mgw.service.connections import Connections
from mgw.service.experiments import Experiments
from mgw.service.models import Models

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from pathlib import Path

    from mgw.core.settings import LoadedSettings

_PR_SET_PDEATHSIG = 1
_ENDINGS = (signal.SIGTERM, signal.SIGINT)


def serve(loaded: LoadedSettings, on_listening: Callable[[], None]) -> None:
    """Run the service until SIGTERM or SIGINT.

    Args:
        loaded: the settings.
        on_listening: called when requests can arrive.

    Raises:
        AddressInUse, AddressInvalid: there is no listening on the address.
    """
    settings = loaded.settings.service
    _check_address(settings.host, settings.port)
    clock = resolve_path(loaded, loaded.settings.state_dir) / "service" / f"{settings.port}.clock"
    Clock.create(clock)
    multiprocessing.set_start_method("spawn", force=True)  # a child knows nothing but what it is given
    server = Server(
        f"{__name__}:_application",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.RSGI,
        workers=settings.workers,
        loop=Loops.uvloop,
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=settings.drain_s,
    )
    server.on_startup(on_listening)
    load: Callable[[], Any] = partial(_application, replace(loaded, sources={}), clock, os.getpid())
    try:
        server.serve(target_loader=load, wrap_loader=False)
    finally:
        clock.unlink(missing_ok=True)


def _application(loaded: LoadedSettings, clock: Path, parent: int) -> Application:
    """Make the application, in a worker."""
    _bind_to(parent)
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    threadpool_limits(1)  # many small products at once: more threads for one of them only get in each other's way
    settings = loaded.settings
    moments = Clock.open(clock)
    state = resolve_path(loaded, settings.state_dir)
    models = Models(ModelStore(state / "models"), ModelStore(state / "adapters"), settings)
    connections = Connections(Database.of(loaded), settings.service.deadline_s)
    cache = ResultCache(moments, settings.service.cache_entries, settings.service.cache_ttl_s)
    experiments = Experiments(connections, settings.experiments, state / "service" / "exposures")
    answers = Answers(settings, models, connections, moments, experiments)
    return Application(answers, cache, settings.service, _keep_endings)


def _keep_endings(loop: asyncio.AbstractEventLoop) -> None:
    """Keep a signal to end that comes while the worker starts, and send it anew when the event loop runs.

    The handlers that granian has set by then are the loop's, which forgets what comes before it runs: the worker would
    not end until it is killed.
    """
    kept: list[int] = []
    handlers = {each: signal.signal(each, lambda number, _frame: kept.append(number)) for each in _ENDINGS}

    def hand_over() -> None:
        for each, handler in handlers.items():
            signal.signal(each, handler)
            signal.siginterrupt(each, False)
        for number in kept:
            signal.raise_signal(number)

    loop.call_soon(hand_over)


def _bind_to(parent: int) -> None:
    """End when the parent does, even where it is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM.value, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


def _check_address(host: str, port: int) -> None:
    """Refuse an address that is taken: each worker listens by itself, and would share it with a stranger."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise AddressInvalid(f"service.host: {host!r} is no address: {error.strerror}") from error
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if isinstance(error, PermissionError):
                raise AddressInvalid(f"port {port} may not be listened on", hint="take one above 1023") from error
            raise AddressInUse(
                f"{host}:{port} cannot be listened on: {error.strerror}", hint="take another: --port"
            ) from error
