"""The keeper's one loop: who is connected, what they want, and whether the server is needed still."""

from __future__ import annotations

import fcntl
import json
import os
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from . import address
from .postgres import Postgres
from .wire import DATA_NAME, LINE_LIMIT_BYTES, PORT, PROTOCOL, SOCKET_NAME, Launch, Status, decode, encode

if TYPE_CHECKING:
    from types import FrameType

_STARTING_TICK_S = 0.004
_TICK_S = 30.0
_LINK_NAME = "keeper.link"


class _Caller:
    """One connection: what came in so far, what it asked for, and whether it holds a lease."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.incoming = b""
        self.request: dict[str, Any] | None = None
        self.has_lease = False

    def send(self, line: bytes) -> None:
        with suppress(OSError):  # it went away; the loop sees the end of its stream
            self.connection.sendall(line)


class Keeper:
    """Runs the server for as long as somebody is connected, or it is pinned."""

    def __init__(self, launch: Launch, first: socket.socket, lock: int) -> None:
        self._launch = launch
        self._lock = lock
        self._callers: list[_Caller] = []
        self._selector = selectors.DefaultSelector()
        self._link: str | None = None
        self._pinned = False
        self._told_to_stop = False
        self._ready_at: float | None = None
        self._watch_signals()
        _forget_link()
        self._listener = _listen()
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._admit(first)
        self._postgres = Postgres(launch)

    def run(self) -> None:
        """Serve until the server is not needed, ended by itself, or is told to stop."""
        while self._is_needed():
            for key, _ in self._selector.select(_TICK_S if self._ready_at else _STARTING_TICK_S):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.data is None:
                    self._wakeup.recv(4096)
                else:
                    self._read(key.data)
            if self._ready_at is None and self._postgres.is_ready():
                self._ready_at = time.monotonic()
            self._answer_all()
            self._postgres.trim_log()
        self._shut_down()

    def _is_needed(self) -> bool:
        if self._told_to_stop or self._postgres.has_ended():
            return False
        # A start goes on without callers: a recovery that outlasts their patience would else begin anew each time.
        return self._pinned or bool(self._callers) or self._ready_at is None

    def _watch_signals(self) -> None:
        self._wakeup, wakes = socket.socketpair()
        self._wakeup.setblocking(False)
        wakes.setblocking(False)
        self._selector.register(self._wakeup, selectors.EVENT_READ, None)
        signal.set_wakeup_fd(wakes.detach(), warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._terminate)
        # Handlers that do nothing, for SIG_IGN would be inherited by the server.
        for sign in (signal.SIGCHLD, signal.SIGINT, signal.SIGHUP):
            signal.signal(sign, lambda *_: None)

    def _terminate(self, _sign: int, _frame: FrameType | None) -> None:
        self._told_to_stop = True

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return  # it went away again
        self._admit(connection)

    def _admit(self, connection: socket.socket) -> None:
        caller = _Caller(connection)
        self._callers.append(caller)
        self._selector.register(connection, selectors.EVENT_READ, caller)

    def _read(self, caller: _Caller) -> None:
        try:
            part = caller.connection.recv(LINE_LIMIT_BYTES)
        except OSError:
            part = b""
        caller.incoming += part
        if not part or len(caller.incoming) > LINE_LIMIT_BYTES:
            self._dismiss(caller)
        elif caller.incoming.endswith(b"\n"):
            try:
                caller.request = decode(caller.incoming)
            except ValueError as error:
                caller.send(encode(error=f"the request is malformed: {error}"))
            caller.incoming = b""

    def _dismiss(self, caller: _Caller) -> None:
        self._selector.unregister(caller.connection)
        self._callers.remove(caller)
        caller.connection.close()

    def _answer_all(self) -> None:
        for caller in self._callers:
            if caller.request is not None and caller.request.get("op") == "stop":
                self._told_to_stop = True  # at once, also while the server starts; answered when it has ended
            elif caller.request is not None and self._ready_at is not None:
                self._answer(caller, caller.request)
                caller.request = None

    def _answer(self, caller: _Caller, request: dict[str, Any]) -> None:
        if request.get("protocol") != PROTOCOL:
            caller.send(encode(error="the server was started by another version of mgw"))
        elif request.get("op") not in ("lease", "pin", "status"):
            caller.send(encode(error=f"there is no operation {request.get('op')!r}"))
        else:
            caller.has_lease |= request["op"] == "lease"
            self._pinned |= request["op"] == "pin"
            try:
                caller.send(encode(status=self._status()))
            except OSError as error:
                caller.send(encode(error=str(error)))

    def _status(self) -> Status:
        return {
            "pid": self._postgres.pid,
            "keeper_pid": os.getpid(),
            "pinned": self._pinned,
            "leases": sum(caller.has_lease for caller in self._callers),
            "version": self._launch["version"],
            "url": address.libpq_url(self._data_folder()),
            "uptime_s": time.monotonic() - (self._ready_at or 0.0),
        }

    def _data_folder(self) -> str:
        """Return a path of the data directory that is short enough for its socket."""
        data = os.path.join(self._launch["home"], DATA_NAME)  # noqa: PTH118 - pathlib is slow to import
        if address.fits(data, f".s.PGSQL.{PORT}"):
            return data
        if self._link is None or not os.path.islink(self._link):  # noqa: PTH114 - a sweep of /tmp may have taken it
            _forget_link()
            self._link = address.make_link(self._launch["home"])
            os.symlink(self._link, _LINK_NAME)  # noqa: PTH211 - so that the next keeper can clear up after this one
        return os.path.join(self._link, DATA_NAME)  # noqa: PTH118

    def _shut_down(self) -> None:
        """Close the door first, so that whoever comes now waits for the lock instead of for an answer."""
        failed = self._ready_at is None and not self._told_to_stop
        self._listener.close()
        _forget_socket()
        self._postgres.stop()
        _forget_link()
        fcntl.flock(self._lock, fcntl.LOCK_UN)  # also for copies of the descriptor that a fork of a client may hold
        for caller in self._callers:
            if failed:
                caller.send(encode(error=f"PostgreSQL did not start:\n{self._postgres.log_tail()}"))
            elif caller.request is not None and caller.request.get("op") == "stop":
                caller.send(encode())


def _listen() -> socket.socket:
    """Listen in the working directory, the home: a relative address is short however deep the home lies."""
    _forget_socket()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(SOCKET_NAME)  # private: the umask is 077, and so is the home
    listener.listen(128)
    listener.setblocking(False)
    return listener


def _forget_socket() -> None:
    with suppress(FileNotFoundError):
        os.unlink(SOCKET_NAME)  # noqa: PTH108 - pathlib is slow to import


def _forget_link() -> None:
    """Remove the short link of this keeper, or of one before it that was killed."""
    with suppress(OSError):
        address.remove_link(os.readlink(_LINK_NAME))  # noqa: PTH115 - pathlib is slow to import
        os.unlink(_LINK_NAME)  # noqa: PTH108


def main() -> None:
    """Become the keeper; the arguments are a `Launch` as JSON and the descriptors of the first caller and the lock."""
    if os.fork():
        os._exit(0)  # the client waits for this process only, and has no child left that it would have to wait for
    os.umask(0o077)
    launch = cast("Launch", json.loads(sys.argv[-3]))
    first = socket.socket(fileno=int(sys.argv[-2]))
    lock = int(sys.argv[-1])
    os.set_inheritable(lock, False)
    try:
        keeper = Keeper(launch, first, lock)
    except OSError as error:
        _Caller(first).send(encode(error=f"the server could not be started: {error}"))
        return
    keeper.run()
