"""The way to the keeper: call one that runs, start one that does not, ask it something."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

from mgw.core.database.embedded.keeper import address
from mgw.core.database.embedded.keeper.wire import KEEPER_LOG, SOCKET_NAME, encode, receive
from mgw.core.errors import DiskFull, EmbeddedFailed

if TYPE_CHECKING:
    from mgw.core.database.embedded.keeper.wire import Launch, Status

# By its path and without site-packages: a keeper starts in some 40 ms, and cannot be led to other code.
_PROGRAM = "import sys; sys.path.append(sys.argv[1]); from keeper.service import main; main()"
_KEPT_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE")
_NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ECONNREFUSED, errno.EAGAIN, errno.ECONNRESET}


def call(home: Path, timeout_s: float) -> socket.socket | None:
    """Return a connection to the keeper of `home`, or None where nobody answers.

    Raises:
        OSError: the socket may not be used.
    """
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(timeout_s)
    link = None
    try:
        folder = str(home)
        if not address.fits(folder, SOCKET_NAME):
            folder = link = address.make_link(folder)
        connection.connect(f"{folder}/{SOCKET_NAME}")
    except OSError as error:
        connection.close()
        if error.errno in _NOT_THERE:
            return None
        raise
    finally:
        if link is not None:
            address.remove_link(link)
    return connection


def start(launch: Launch, lock: int) -> socket.socket:
    """Start a keeper, hand it the lock of its home, and return the first connection to it.

    Raises:
        OSError: the interpreter or the log cannot be opened.
    """
    ours, theirs = socket.socketpair()
    log = os.open(Path(launch["home"], KEEPER_LOG), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        arguments = [str(Path(__file__).parent), json.dumps(launch), str(theirs.fileno()), str(lock)]
        subprocess.run(
            [sys.executable, "-I", "-S", "-c", _PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=launch["home"],
            env={name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ},
            pass_fds=(theirs.fileno(), lock),
            start_new_session=True,
            check=False,
        )
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
        os.close(log)
    return ours


def ask(connection: socket.socket, op: str, deadline: float) -> Status | None:
    """Send a request and wait for its answer; None where the keeper went away instead of answering.

    Raises:
        EmbeddedFailed: the server failed, or did not answer before `deadline` (on the clock of `time.monotonic`).
        DiskFull: the server failed for want of space.
    """
    connection.settimeout(max(deadline - time.monotonic(), 0.001))
    try:
        connection.sendall(encode(op=op))
        answer = receive(connection)
    except TimeoutError as error:
        raise EmbeddedFailed("the embedded server did not answer in time", hint="its log is server.log") from error
    except (OSError, ValueError):
        return None
    if answer is None:
        return None
    if "error" in answer:
        message = str(answer["error"])
        if "No space left on device" in message:
            raise DiskFull(f"no space left for the database: {message}", hint="free some space and try again")
        raise EmbeddedFailed(message, hint="server.log in the folder of the database says more")
    return cast("Status", answer.get("status", {}))


def last_words(home: Path) -> str:
    """Return what the keeper wrote to its log: nothing, unless it failed."""
    try:
        return (home / KEEPER_LOG).read_text(errors="replace").strip()
    except OSError:
        return ""
