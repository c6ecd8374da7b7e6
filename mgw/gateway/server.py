"""The gateway as processes: what each worker is made of."""

from __future__ import annotations

import os
import secrets
import sys
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from mgw.core.files import write_atomic
from mgw.core.workers import Listening, begin_worker, keep_endings, serve_with
from mgw.gateway.access_log import AccessLog
from mgw.gateway.application import Application
from mgw.gateway.definition import Keys
from mgw.gateway.policy import Policy
from mgw.gateway.pyreqwest_transport import PyreqwestTransport
from mgw.gateway.tokens import read_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mgw.gateway.definition import Gateway

_OWN_SECRET = "gateway.secret"  # noqa: S105 - the name of a file
_SECRET_BYTES = 32


def serve(gateway: Gateway, folder: Path, on_listening: Callable[[], None]) -> None:
    """Run the gateway until SIGTERM or SIGINT.

    Args:
        gateway: what its file says; see `with_keys`.
        folder: that relative paths in it are meant from.
        on_listening: called when requests can arrive.

    Raises:
        ConfigInvalid: the keys cannot be used.
        AddressInUse, AddressInvalid: there is no listening on the address.
    """
    if takes_tokens(gateway):
        read_key(gateway.tokens, folder)  # what is wrong with it is told before anything runs
    listening = Listening(gateway.host, gateway.port, gateway.workers, gateway.drain_s, "gateway")
    serve_with(listening, partial(_application, gateway, folder, os.getpid()), on_listening)


def takes_tokens(gateway: Gateway) -> bool:
    """Say whether any route looks at a token."""
    return any(route.auth != "none" for route in gateway.routes)


def with_keys(gateway: Gateway, state: Path) -> Gateway:
    """Give a gateway that names no keys a secret of its own, for development, made once."""
    keys = gateway.tokens.keys
    if keys != Keys() or gateway.tokens.algorithms != ("HS256",):
        return gateway
    path = state / _OWN_SECRET
    if not path.exists():
        state.mkdir(parents=True, exist_ok=True)
        write_atomic(path, secrets.token_hex(_SECRET_BYTES).encode() + b"\n", mode=0o600)
    return replace(gateway, tokens=replace(gateway.tokens, keys=Keys(secret_file=str(path))))


def _application(gateway: Gateway, folder: Path, parent: int) -> Application:
    """Make the application, in a worker."""
    begin_worker(parent)
    key = read_key(gateway.tokens, folder) if takes_tokens(gateway) else None
    access = AccessLog(sys.stdout.fileno())
    transport = PyreqwestTransport()
    return Application(Policy(gateway, transport, key), transport, access, partial(keep_endings, parent=parent))
