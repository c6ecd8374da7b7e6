"""The embedded server as the rest of the program sees it: lease it, pin it, stop it, ask how it is."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mgw.core.database.embedded import contact
from mgw.core.database.embedded.account import check_owner
from mgw.core.database.embedded.keeper.wire import DATA_NAME, LOCK_NAME
from mgw.core.database.embedded.leftover import data_major, shut_down_leftovers
from mgw.core.database.embedded.lock import lock
from mgw.core.errors import EmbeddedFailed, EmbeddedUnavailable
from mgw.core.files import storage_errors

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from mgw.core.database.embedded.keeper.wire import Status

_TICK_S = 0.01


@dataclass(frozen=True)
class ServerStatus:
    """How the embedded server is doing.

    Attributes:
        running: whether it accepts connections; if not, what only a running server has is None.
        pinned: whether it goes on without leases.
        data_dir: its data directory, which need not exist yet.
        version: version of PostgreSQL, such as `18.4`; of a server that is not running, the major version of its data.
        pid: process id of `postgres`.
        keeper_pid: process id of its keeper.
        url: where to connect, for libpq; there is no password in it, and none is needed.
        leases: how many clients hold it.
        uptime_s: seconds since it accepted connections.
        size_bytes: size of the data directory's files; None where there are none.
    """

    running: bool
    pinned: bool
    data_dir: Path
    version: str | None = None
    pid: int | None = None
    keeper_pid: int | None = None
    url: str | None = None
    leases: int = 0
    uptime_s: float | None = None
    size_bytes: int | None = None


@dataclass(frozen=True)
class EmbeddedServer:
    """A PostgreSQL server of the project's own, running while somebody holds a lease or while it is pinned.

    Attributes:
        home: folder for its data, logs and sockets; created when it is first needed, private to the user.
        version: major version of PostgreSQL for a new data directory, where there is a choice.
        bin_dir: folder with `postgres` and `initdb`; None means search for them.
        timeout_s: how long to wait for the server to start or to stop, in seconds.
    """

    home: Path
    version: int = 18
    bin_dir: Path | None = None
    timeout_s: float = 30.0

    @contextmanager
    def lease(self) -> Iterator[str]:
        """Yield a URL for libpq; the server runs at least until the block ends, or the process does.

        Raises:
            EmbeddedUnavailable: there are no binaries for it, or this system or user cannot run it.
            EmbeddedFailed: it did not start; the message quotes its log.
            StorageError: the folder cannot be written.
        """
        connection, status = self._enter("lease")
        with connection:
            yield status["url"]

    def start(self) -> ServerStatus:
        """Start the server, if it is not running, and keep it running until `stop`.

        Raises:
            EmbeddedUnavailable, EmbeddedFailed, StorageError: as for `lease`.
        """
        connection, status = self._enter("pin")
        with connection:
            return self._described(status)

    def stop(self) -> bool:
        """Stop the server, whoever uses it; return whether it was running.

        Raises:
            EmbeddedFailed: it did not end in time.
        """
        self._check()
        deadline = time.monotonic() + self.timeout_s
        while self._home.is_dir():
            with storage_errors(self._home):
                connection = contact.call(self._home, self.timeout_s)
                if connection is not None:
                    with connection:
                        if contact.ask(connection, "stop", deadline) is not None:
                            return True
                else:
                    with lock(self._home / LOCK_NAME, wait=False) as held:
                        if held is not None:
                            return shut_down_leftovers(self._data, deadline)
            self._pause(deadline)
        return False

    def status(self) -> ServerStatus:
        """Return how the server is doing, without starting it.

        Raises:
            EmbeddedFailed: it runs, and does not answer.
        """
        self._check()
        with storage_errors(self._home):
            connection = contact.call(self._home, self.timeout_s)
        if connection is not None:
            with connection:
                status = contact.ask(connection, "status", time.monotonic() + self.timeout_s)
            if status:
                return self._described(status)
        major = data_major(self._data)
        return ServerStatus(
            running=False,
            pinned=False,
            data_dir=self._data,
            version=None if major is None else str(major),
            size_bytes=_size_bytes(self._data),
        )

    @property
    def _home(self) -> Path:
        return Path(os.path.abspath(self.home))  # noqa: PTH100 - the path as the user wrote it, not where links lead

    @property
    def _data(self) -> Path:
        return self._home / DATA_NAME

    def _check(self) -> None:
        if sys.platform == "win32":
            raise EmbeddedUnavailable(
                "the embedded server does not run on Windows",
                hint="set MGW_DATABASE_URL to a PostgreSQL server, or use WSL",
            )
        check_owner(self._home)

    def _enter(self, op: str) -> tuple[socket.socket, Status]:
        """Ask the keeper for a lease or a pin, and start one where none runs; return the connection and the answer."""
        self._check()
        deadline = time.monotonic() + self.timeout_s
        with storage_errors(self._home):
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            with storage_errors(self._home):
                connection = contact.call(self._home, self.timeout_s) or self._start_keeper(deadline)
            if connection is not None:
                try:
                    status = contact.ask(connection, op, deadline)
                except BaseException:
                    connection.close()
                    raise
                if status is not None:
                    return connection, status
                connection.close()
            self._pause(deadline)

    def _pause(self, deadline: float) -> None:
        """Give whoever holds the lock some time: it starts a keeper, or is one that is about to end."""
        if time.monotonic() > deadline:
            said = contact.last_words(self._home)
            message = f"no embedded server came up, and none went away, within {self.timeout_s:g} s in {self._home}"
            raise EmbeddedFailed(f"{message}\n{said}" if said else message)
        time.sleep(_TICK_S)

    def _start_keeper(self, deadline: float) -> socket.socket | None:
        """Return the first connection to a new keeper, or None where somebody else holds the lock."""
        from mgw.core.database.embedded.preparation import prepared  # noqa: PLC0415 - most commands join a server

        with lock(self._home / LOCK_NAME, wait=False) as held:
            if held is None:
                return None
            return contact.start(prepared(self._home, self.version, self.bin_dir, deadline), held)

    def _described(self, status: Status) -> ServerStatus:
        return ServerStatus(running=True, data_dir=self._data, size_bytes=_size_bytes(self._data), **status)


def _size_bytes(folder: Path) -> int | None:
    """Return the size of all files below `folder`, which may change meanwhile; None where it does not exist."""
    total = None
    for parent, _, files in os.walk(folder):
        total = total or 0
        for name in files:
            try:
                total += Path(parent, name).lstat().st_size
            except FileNotFoundError:
                continue
    return total
