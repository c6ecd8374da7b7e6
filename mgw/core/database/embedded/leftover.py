"""A server without a keeper: what a crash may leave behind, and how it is told from a stranger with its number.

Whoever comes here holds the lock of the home, so there is no keeper. `postmaster.pid` then names a process that is
dead, or is a stranger that was given the same number since, or is really a server on our data (its keeper was killed
and it is about to end; on macOS it would go on). PostgreSQL itself refuses to start while the number is in use.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from mgw.core.errors import EmbeddedFailed

_TICK_S = 0.01


def data_major(data: Path) -> int | None:
    """Return the major version that wrote the data directory, or None where there is none yet.

    Raises:
        EmbeddedFailed: it is damaged.
    """
    mark = data / "PG_VERSION"
    try:
        return int(mark.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as error:
        raise EmbeddedFailed(f"{mark} is damaged", hint="restore the folder from a backup") from error


def shut_down_leftovers(data: Path, deadline: float) -> bool:
    """End every server process on `data` and remove a stale `postmaster.pid`; return whether there was a process.

    Args:
        data: the data directory.
        deadline: when to give up, on the clock of `time.monotonic`.

    Raises:
        EmbeddedFailed: a process did not end in time.
    """
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():  # removed by every server that ended in good order
        return False
    postmaster = _noted_pid(pid_file)
    asked: set[int] = set()
    while processes := _server_processes(data, postmaster):
        # The postmaster takes its children along, in good order. Without it they are good for nothing.
        targets = {postmaster: signal.SIGINT} if postmaster in processes else dict.fromkeys(processes, signal.SIGQUIT)
        for pid, sign in targets.items():
            if pid not in asked:
                _signal(pid, sign)
                asked.add(pid)
        if time.monotonic() > deadline:
            listed = ", ".join(map(str, sorted(processes)))
            raise EmbeddedFailed(f"a server that was left running on {data} does not end: process {listed}")
        time.sleep(_TICK_S)
    pid_file.unlink(missing_ok=True)
    return bool(asked)


def _noted_pid(pid_file: Path) -> int:
    """Return the process id in `postmaster.pid`, or 0 where it cannot be read."""
    try:
        return int(pid_file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return 0


def _signal(pid: int, sign: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, sign)


def _server_processes(data: Path, postmaster: int) -> set[int]:
    """Return the processes of servers on `data`.

    Every process of PostgreSQL works in its data directory, which the kernel knows by more than its name.
    """
    if sys.platform != "linux":
        return {postmaster} if _looks_like_ours(data, postmaster) else set()
    wanted = data.stat()
    found = set()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                folder = Path(entry.path, "cwd").stat()  # none for a zombie; refused for processes of others
                name = Path(entry.path, "comm").read_text()
            except OSError:
                continue
            if os.path.samestat(folder, wanted) and name == "postgres\n":
                found.add(int(entry.name))
    return found


def _looks_like_ours(data: Path, pid: int) -> bool:
    """Return whether the command line of a process is that of a server on `data`, for systems without /proc."""
    if pid <= 0:
        return False
    command = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return "postgres" in answer.stdout and f" -D {data} " in answer.stdout
