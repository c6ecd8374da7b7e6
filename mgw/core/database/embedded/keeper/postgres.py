"""The server as a child process: start it, see when it is ready, stop it, read its log."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from .wire import DATA_NAME, PORT, SERVER_LOG

if TYPE_CHECKING:
    from collections.abc import Callable

    from .wire import Launch

_PR_SET_PDEATHSIG = 1
_STOP_PATIENCE_S = ((signal.SIGINT, 60), (signal.SIGQUIT, 5), (signal.SIGKILL, 5))  # fast, immediate, none
_LOG_LIMIT_BYTES = 4 << 20
_STATUS_LINE = 7
_KEPT_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")

# What decides who may connect stands on the command line, where ALTER SYSTEM cannot change it.
_SECURITY = ("listen_addresses=", "unix_socket_directories=.", "unix_socket_permissions=0700", f"port={PORT}")


def data_argument(descriptor: int, path: str) -> str:
    """Return what `-D` shall say for the data directory that is open as `descriptor`.

    On Linux the descriptor, which the child inherits: an unprivileged server gets to its data although it may not
    walk the path, where a folder above is closed to others. (The working directory would do as well from PostgreSQL 16
    on; 15 leaves and re-enters it by its path.)
    """
    return f"/proc/self/fd/{descriptor}" if sys.platform == "linux" else path


def identity(uid: int, gid: int) -> dict[str, object]:
    """Return the arguments for `subprocess` that make root run a program as `uid` and `gid`, and nothing else."""
    return {"user": uid, "group": gid, "extra_groups": []} if os.geteuid() == 0 else {}


class Postgres:
    """`postgres` as the direct child of this process, which must have one thread only."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        data = os.path.join(launch["home"], DATA_NAME)  # noqa: PTH118 - pathlib is slow to import
        self._data = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
        self._log = os.open(SERVER_LOG, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self.trim_log()
        self._log_start = os.fstat(self._log).st_size
        command = [launch["postgres"], "-D", data_argument(self._data, data)]
        for setting in _SECURITY:
            command += ["-c", setting]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            cwd="/",
            env={name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ},
            pass_fds=(self._data,),
            umask=0o077,
            preexec_fn=_bound_to_this_process(),  # noqa: PLW1509 - there is one thread, and nothing else does it after setuid
            **identity(launch["uid"], launch["gid"]),  # type: ignore[call-overload]
        )
        self.pid = self._process.pid

    def is_ready(self) -> bool:
        """Return whether the server accepts connections, as it notes down in `postmaster.pid`."""
        try:
            descriptor = os.open("postmaster.pid", os.O_RDONLY | os.O_NOFOLLOW, dir_fd=self._data)
        except OSError:
            return False
        with os.fdopen(descriptor, "rb") as file:
            lines = file.read(4096).splitlines()
        mine = len(lines) > _STATUS_LINE and lines[0].strip() == str(self.pid).encode()
        return mine and lines[_STATUS_LINE].strip() == b"ready"

    def has_ended(self) -> bool:
        """Return whether the process is gone."""
        return self._process.poll() is not None

    def stop(self) -> None:
        """Disconnect everybody, write what is in memory and end; by force where that takes minutes."""
        for sign, patience_s in _STOP_PATIENCE_S:
            if self.has_ended():
                return
            self._process.send_signal(sign)
            try:
                self._process.wait(patience_s)
            except subprocess.TimeoutExpired:
                continue

    def log_tail(self, lines: int = 12) -> str:
        """Return the last lines that this run of the server logged."""
        start = max(self._log_start, os.fstat(self._log).st_size - 8192)
        text = os.pread(self._log, 8192, start).decode(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def trim_log(self) -> None:
        """Keep the log from growing for ever: beyond 4 MiB it becomes `server.log.1`, in place of the one before.

        The server holds the file open for appending, so its content is copied and the file emptied.
        """
        size = os.fstat(self._log).st_size
        if size <= _LOG_LIMIT_BYTES:
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with os.fdopen(os.open(f"{SERVER_LOG}.1", flags, 0o600), "wb") as file:
            file.write(os.pread(self._log, _LOG_LIMIT_BYTES, size - _LOG_LIMIT_BYTES))
        os.ftruncate(self._log, 0)
        self._log_start = 0


def _bound_to_this_process() -> Callable[[], None] | None:
    """Return what the child does before it becomes the server: ask for a fast shutdown when its parent dies.

    As `mgw.core.processes` has it, which is not there: this package imports nothing but itself.
    """
    if sys.platform != "linux":
        return None
    import ctypes  # noqa: PLC0415 - only here

    prctl = ctypes.CDLL(None, use_errno=True).prctl  # looked up before the fork, where it is safe
    parent = os.getpid()

    def bind() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGINT.value, 0, 0, 0)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return bind
