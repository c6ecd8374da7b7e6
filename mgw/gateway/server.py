"""The gateway as processes: one that reads the file and looks after the others, and workers that answer."""

from __future__ import annotations

import gc
import os
import secrets
import sys
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from mgw.core.errors import ConfigInvalid, FileUnreadable
from mgw.core.files import write_atomic
from mgw.core.workers import Listening, begin_worker, keep_endings, serve_with
from mgw.gateway.access_log import AccessLog
from mgw.gateway.admin import Admin
from mgw.gateway.aiohttp_transport import AiohttpTransport
from mgw.gateway.control import Control
from mgw.gateway.definition import Keys
from mgw.gateway.pyreqwest_transport import PyreqwestTransport
from mgw.gateway.runtime import RuntimeFolder
from mgw.gateway.shared import url_of
from mgw.gateway.tokens import read_key, takes_tokens
from mgw.gateway.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mgw.core.changes import Actor, Change
    from mgw.gateway.definition import Admin as AdminSettings
    from mgw.gateway.definition import Gateway
    from mgw.gateway.transport import Transport

_OWN_SECRET = "gateway.secret"  # noqa: S105 - the name of a file
_ADMIN_TOKEN = "gateway.admin"  # noqa: S105 - the name of a file
_SECRET_BYTES = 32
_SHORTEST_TOKEN = 16
_COLLECT_AFTER = (50_000, 20, 50)


def serve(
    read: Callable[[], Gateway],
    path: Path,
    state: Path,
    *,
    on_listening: Callable[[], None],
    tell: Callable[[str], None],
    note: Callable[[Actor, Change], None],
) -> None:
    """Run the gateway until SIGTERM or SIGINT.

    Args:
        read: reads its file; see `with_keys`.
        path: of the file; relative ones in it are meant from its folder.
        state: the project's folder for what is made once on a machine.
        on_listening: called when requests can arrive.
        tell: says what happens meanwhile, such as that the file was read anew.
        note: keeps what somebody changed for the audit trail.

    Raises:
        ConfigInvalid: the file, or what it names, cannot be used.
        AddressInUse, AddressInvalid: there is no listening on the address.
    """
    folder = path.parent

    def read_and_check() -> Gateway:
        gateway = read()
        check_names(gateway, folder)
        return gateway

    with ExitStack() as stack:
        runtime = RuntimeFolder.make()
        stack.callback(runtime.remove)
        control = Control(read_and_check, lambda gateway: list(_files(gateway, path)), runtime, tell, note)
        gateway = control.gateway
        admin = None
        if gateway.admin is not None:
            admin = Admin(gateway.admin.port, admin_token(gateway.admin, folder, state), control, runtime)
            stack.callback(admin.end)
        stack.callback(control.end)

        def begin() -> None:
            control.begin()
            if admin is not None:
                admin.begin()
            on_listening()

        serve_with(_listening(gateway, folder), partial(_worker, runtime.path, folder, os.getpid()), begin)


def check_names(gateway: Gateway, folder: Path) -> None:
    """Look whether what the file names is there and fits: keys, certificates, variables.

    Raises:
        ConfigInvalid: something does not.
    """
    if takes_tokens(gateway):
        read_key(gateway.tokens, folder)
    if gateway.redis is not None:
        url_of(gateway.redis)
    if gateway.tls is not None:
        for name in ("cert_file", "key_file"):
            file = folder / getattr(gateway.tls, name)
            try:
                content = file.read_bytes()
            except OSError as error:
                raise ConfigInvalid(f"tls.{name}: cannot read {file}: {error.strerror}") from error
            if b"-----BEGIN " not in content:
                raise ConfigInvalid(f"tls.{name}: {file} is no PEM file")


def with_keys(gateway: Gateway, state: Path) -> Gateway:
    """Give a gateway that names no keys a secret of its own, for development, made once."""
    keys = gateway.tokens.keys
    if keys != Keys() or gateway.tokens.algorithms != ("HS256",):
        return gateway
    path = _made_once(state / _OWN_SECRET)
    return replace(gateway, tokens=replace(gateway.tokens, keys=Keys(secret_file=str(path))))


def admin_token(admin: AdminSettings, folder: Path, state: Path) -> str:
    """Return what has to be shown at the admin port.

    Raises:
        FileUnreadable: its file cannot be read.
        ConfigInvalid: it is too short.
    """
    path = folder / admin.token_file if admin.token_file is not None else _made_once(state / _ADMIN_TOKEN)
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise FileUnreadable(f"admin.token_file: cannot read {path}") from error
    if len(token) < _SHORTEST_TOKEN:
        raise ConfigInvalid(f"admin.token_file: the token has fewer than {_SHORTEST_TOKEN} characters")
    return token


def _made_once(path: Path) -> Path:
    """Have a secret of this machine in a file that its owner alone can read."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, secrets.token_hex(_SECRET_BYTES).encode() + b"\n", mode=0o600)
    return path


def _files(gateway: Gateway, path: Path) -> Iterator[Path]:
    """Yield the files whose change changes the gateway."""
    yield path
    keys = gateway.tokens.keys
    for name in (keys.secret_file, keys.public_key_file, keys.jwks_file):
        if name is not None:
            yield path.parent / name


def _listening(gateway: Gateway, folder: Path) -> Listening:
    tls = gateway.tls
    return Listening(
        gateway.host,
        gateway.port,
        workers_of(gateway),
        gateway.drain_s,
        "gateway",
        connections=gateway.connections,
        header_timeout_s=gateway.header_timeout_s,
        websockets=True,
        http2=gateway.http2 if gateway.http2 is not None else tls is not None,
        cert_file=folder / tls.cert_file if tls else None,
        key_file=folder / tls.key_file if tls else None,
        min_tls=tls.min_version if tls else "1.3",
    )


def workers_of(gateway: Gateway) -> int:
    """Return how many processes answer."""
    return len(os.sched_getaffinity(0)) if gateway.workers == "auto" else gateway.workers


def _worker(runtime: Path, folder: Path, parent: int) -> Worker:
    """Make what granian runs, in a worker."""
    begin_worker(parent)
    shared = RuntimeFolder(runtime)
    gc.freeze()  # what there is by now stays; requests leave no cycles: to look for them takes a tenth of the time
    gc.set_threshold(*_COLLECT_AFTER)
    transport: Transport = PyreqwestTransport() if shared.gateway().transport == "pyreqwest" else AiohttpTransport()
    return Worker(shared, folder, transport, AccessLog(sys.stdout.fileno()), partial(keep_endings, parent=parent))
